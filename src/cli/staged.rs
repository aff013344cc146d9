//! A file that appears under its name when it is complete.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Written under a temporary name beside its target. A target that is there and no regular file (a pipe, /dev/null) is written to directly.
pub struct StagedFile {
    target: PathBuf,
    temporary: Option<PathBuf>,
}

impl StagedFile {
    pub fn create(target: &Path) -> io::Result<Self> {
        let special = fs::metadata(target).is_ok_and(|found| !found.is_file() && !found.is_dir());
        if special {
            return Ok(StagedFile { target: target.to_owned(), temporary: None });
        }
        if target.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_string_lossy();
        Ok(StagedFile { target: target.to_owned(), temporary: Some(target.with_file_name(format!(".{name}.groupsim-partial"))) })
    }

    pub fn file(&self) -> io::Result<File> {
        match &self.temporary {
            Some(temporary) => File::create(temporary),
            None => File::options().write(true).open(&self.target),
        }
    }

    pub fn publish(mut self) -> io::Result<()> {
        match self.temporary.take() {
            Some(temporary) => fs::rename(temporary, &self.target),
            None => Ok(()),
        }
    }
}

/// What was not published leaves nothing behind.
impl Drop for StagedFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}

//! The folder that a run leaves: every file whole or not at all.
//!
//! Each file is first written under a temporary name in the same folder; only when all of them are complete are they renamed into place.
//! A run that fails on the way leaves the folder as it was. Files of ours ([`Output`]) that this run does not write are stale and are
//! removed; nobody else's files are touched.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::report::Output;

/// What could not be done, where, and what the system said. The program exits with 74.
#[derive(Debug, thiserror::Error)]
#[error("cannot {deed} {}: {source}", path.display())]
pub struct FolderError {
    pub deed: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

/// Files on their way into a folder. Dropped without [`Folder::publish`] it takes its temporary files along.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Folders that were not there before, the outermost first. They go again unless something is published.
    made: Vec<PathBuf>,
    /// An earlier run wrote here: what it left beyond this run's files is stale.
    ours: bool,
    staged: Vec<Output>,
}

impl Folder {
    /// Makes the folder, and its parents, if they are not there.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let mut missing: Vec<PathBuf> =
            path.ancestors().take_while(|part| !part.as_os_str().is_empty() && !part.exists()).map(Path::to_owned).collect();
        missing.reverse();
        let mut folder = Folder { path: path.to_owned(), made: Vec::new(), ours: false, staged: Vec::new() };
        let failed = |source| FolderError { deed: "make the folder", path: path.to_owned(), source };
        if path.exists() && !path.is_dir() {
            return Err(failed(io::Error::new(io::ErrorKind::NotADirectory, "a file of that name is there, and a folder is needed")));
        }
        for part in missing {
            match fs::create_dir(&part) {
                Ok(()) => folder.made.push(part),
                // Another run was faster, or the path goes through `..`.
                Err(_) if part.is_dir() => {}
                Err(source) => return Err(failed(source)),
            }
        }
        folder.ours = path.join(Output::Replay.file_name()).is_file();
        Ok(folder)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file to be written while the run goes on; it appears under its name with [`Folder::publish`]. Flush it before.
    pub fn stream(&mut self, output: Output) -> Result<File, FolderError> {
        self.refuse_a_directory(output)?;
        let path = self.temporary(output);
        self.staged.push(output);
        File::create(&path).map_err(|source| self.error("write", output, source))
    }

    /// Takes a file that `write` writes to its end.
    pub fn stage(&mut self, output: Output, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), FolderError> {
        let mut file = self.stream(output)?;
        write(&mut file).map_err(|source| self.error("write", output, source))
    }

    /// Puts all files in their places and removes what an earlier run left beyond them.
    pub fn publish(mut self) -> Result<(), FolderError> {
        let staged = std::mem::take(&mut self.staged);
        for (place, output) in staged.iter().enumerate() {
            if let Err(source) = fs::rename(self.temporary(*output), self.target(*output)) {
                self.staged = staged[place..].to_vec();
                return Err(self.error("write", *output, source));
            }
        }
        self.made.clear();
        let stale = Output::ALL.into_iter().filter(|output| self.ours && !staged.contains(output));
        for output in stale {
            match fs::remove_file(self.target(output)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // A directory under that name is nothing that we made.
                Err(_) if self.target(output).is_dir() => {}
                Err(source) => return Err(self.error("remove the stale", output, source)),
            }
        }
        Ok(())
    }

    /// Told before anything is written: a rename cannot replace a directory.
    fn refuse_a_directory(&self, output: Output) -> Result<(), FolderError> {
        if self.target(output).is_dir() {
            return Err(self.error("write", output, io::Error::from(io::ErrorKind::IsADirectory)));
        }
        Ok(())
    }

    fn target(&self, output: Output) -> PathBuf {
        self.path.join(output.file_name())
    }

    /// Of this process only, so that two runs into one folder do not write into each other's files.
    fn temporary(&self, output: Output) -> PathBuf {
        self.path.join(format!(".{}.{}.partial", output.file_name(), std::process::id()))
    }

    fn error(&self, deed: &'static str, output: Output, source: io::Error) -> FolderError {
        FolderError { deed, path: self.target(output), source }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for output in &self.staged {
            // There is nobody left to tell, and the error that led here is on its way already.
            let _ = fs::remove_file(self.temporary(*output));
        }
        // The innermost first; one that somebody else has put something into stays.
        for part in self.made.iter().rev() {
            let _ = fs::remove_dir(part);
        }
    }
}

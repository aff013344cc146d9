//! Lines on their way to a file: gathered in one buffer, written in large pieces.

use std::io::{self, Write};

/// A run never stops for an output that fails: the first error is kept for the end, and nothing is written after it.
#[derive(Debug)]
pub struct LineWriter<W> {
    out: W,
    buffer: Vec<u8>,
    error: Option<io::Error>,
}

const PIECE_BYTES: usize = 64 * 1024;

impl<W: Write> LineWriter<W> {
    pub fn new(out: W) -> Self {
        LineWriter { out, buffer: Vec::with_capacity(PIECE_BYTES + 1024), error: None }
    }

    /// Where the next line goes.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// The line is whole.
    #[inline]
    pub fn end_line(&mut self) {
        self.buffer.push(b'\n');
        if self.buffer.len() >= PIECE_BYTES {
            self.write_out();
        }
    }

    /// Writes what is left and gives `out` back, or the first error.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_out();
        match self.error {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.out),
        }
    }

    fn write_out(&mut self) {
        if self.error.is_none() {
            self.error = self.out.write_all(&self.buffer).err();
        }
        self.buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_ends_the_writing_and_comes_out_at_the_end() {
        let mut lines = LineWriter::new(Full { room: 2 * PIECE_BYTES, refusals: 0 });
        for _ in 0..10 {
            lines.buffer().resize(PIECE_BYTES, b'x');
            lines.end_line();
        }
        assert_eq!(lines.finish().unwrap_err().to_string(), "no room, refusal 1");
    }

    #[test]
    fn every_line_arrives() {
        let mut lines = LineWriter::new(Vec::new());
        for _ in 0..20_000 {
            lines.buffer().extend_from_slice(b"0123456789");
            lines.end_line();
        }
        assert_eq!(lines.finish().expect("memory takes lines").len(), 220_000);
    }

    /// A disk with little room.
    #[derive(Debug)]
    struct Full {
        room: usize,
        refusals: u32,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes.len() > self.room {
                self.refusals += 1;
                return Err(io::Error::other(format!("no room, refusal {}", self.refusals)));
            }
            self.room -= bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

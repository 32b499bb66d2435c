//! Finds the records of a stream of JSON without parsing it: the elements of a log file's `Records`, JSON lines, one value after
//! the other, one single event, pretty-printed or not.
//!
//! Only brackets and the ends of texts are looked at, so that it is many times faster than a parser, and what is kept is at
//! most one record. What is too large, cut off or no JSON is told and passed over.

use std::io::Read;

use memchr::memchr3;

/// The largest record that is looked at. `CloudTrail`'s largest event is 1 MB; indentation may come on top.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>
pub const LIMIT: usize = 2 << 20;

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// The field of a file that holds the records: of `CloudTrail`'s log files, and of findings as the command line lists them.
const LISTS: [&[u8]; 2] = [b"Records", b"Findings"];

/// One thing that was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Found<'a> {
    /// A record: an object, as far as its brackets tell.
    Record {
        /// Its first byte, counted from the beginning of the stream.
        at: u64,
        /// Itself.
        bytes: &'a [u8],
    },
    /// Something that is no record, from this byte on.
    Broken {
        /// Its first byte.
        at: u64,
        /// What is wrong, in a few words.
        why: &'static str,
    },
}

/// What the scanner is in the middle of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Inside {
    /// Nothing: between records.
    No,
    /// A record that begins here in the buffer.
    Record(usize),
    /// Something that is not kept: a record that is too large, or the end of a file behind its records.
    Dropped,
}

/// The scanner; its buffer is used again for the next stream.
#[derive(Debug)]
pub struct Splitter {
    buffer: Vec<u8>,
    filled: usize,
    next: usize,
    /// Of the buffer's first byte.
    offset: u64,
    inside: Inside,
    depth: u64,
    /// The depth at which records stand: 0, or that of the list that they are in.
    floor: u64,
    /// Where the text began that the scanner is in, and whether its next byte is escaped.
    text: Option<usize>,
    escaped: bool,
    /// Of what is not in the buffer any more, the last byte and the last one that is no space.
    behind: [u8; 2],
    /// Whether the last text was the key of a list of records.
    listed: bool,
    /// Whether what stands between the records was already told to be none.
    told: bool,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::on(vec![0; 2 * CHUNK])
    }
}

/// Whether a byte matters inside of a record and outside of its texts.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')
}

impl Splitter {
    /// Reads a stream to its end. An error is the reader's; what was found before it is told. `read` is told of each piece how many
    /// bytes it had.
    pub fn run(
        &mut self,
        mut from: impl Read,
        mut read: impl FnMut(usize),
        mut take: impl FnMut(Found<'_>),
    ) -> std::io::Result<()> {
        *self = Self::on(std::mem::take(&mut self.buffer));
        let ended = loop {
            self.make_room(&mut take);
            let free = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match from.read(free) {
                Ok(0) => break Ok(()),
                Ok(count) => {
                    read(count);
                    self.filled += count;
                    self.scan(&mut take);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        if self.inside != Inside::No || self.depth > 0 || self.text.is_some() {
            let at = self.begin();
            take(Found::Broken { at, why: "ends in the middle of a record" });
        }
        ended
    }

    fn on(buffer: Vec<u8>) -> Self {
        Self {
            buffer,
            filled: 0,
            next: 0,
            offset: 0,
            inside: Inside::No,
            depth: 0,
            floor: 0,
            text: None,
            escaped: false,
            behind: [0; 2],
            listed: false,
            told: false,
        }
    }

    fn begin(&self) -> u64 {
        self.offset + if let Inside::Record(start) = self.inside { start } else { self.next } as u64
    }

    /// Drops what was scanned but for the record that has begun, and that too if it is too large.
    fn make_room(&mut self, take: &mut impl FnMut(Found<'_>)) {
        if let Inside::Record(start) = self.inside
            && self.filled - start > LIMIT
        {
            take(Found::Broken { at: self.begin(), why: "a record larger than 2 MiB" });
            self.inside = Inside::Dropped;
            self.listed = false;
        }
        let keep = if let Inside::Record(start) = self.inside { start } else { self.next };
        let gone = self.buffer.get(..keep).unwrap_or_default();
        for (behind, last) in self.behind.iter_mut().zip([gone.last(), gone.trim_ascii_end().last()]) {
            *behind = *last.unwrap_or(behind);
        }
        self.buffer.copy_within(keep..self.filled, 0);
        self.offset += keep as u64;
        self.filled -= keep;
        self.next -= keep;
        self.text = self.text.map(|at| at.saturating_sub(keep));
        if let Inside::Record(start) = &mut self.inside {
            *start = 0;
        }
        if self.buffer.len() - self.filled < CHUNK {
            self.buffer.resize(self.filled + CHUNK, 0);
        }
    }

    fn scan(&mut self, take: &mut impl FnMut(Found<'_>)) {
        let buffer = std::mem::take(&mut self.buffer);
        let bytes = buffer.get(..self.filled).unwrap_or_default();
        while self.next < bytes.len() {
            if self.text.is_some() {
                self.in_text(bytes, take);
                continue;
            }
            let rest = bytes.get(self.next..).unwrap_or_default();
            if self.inside == Inside::No {
                let gap = rest.len() - rest.trim_ascii_start().len();
                self.next += gap;
                if let Some(byte) = rest.get(gap) {
                    self.between(bytes, *byte, take);
                }
            } else if let Some(ahead) = rest.iter().position(|byte| is_mark(*byte)) {
                self.next += ahead;
                self.mark(bytes, rest.get(ahead).copied().unwrap_or_default(), take);
            } else {
                self.next = bytes.len();
            }
        }
        self.buffer = buffer;
    }

    /// Goes on to the end of the text.
    fn in_text(&mut self, bytes: &[u8], take: &mut impl FnMut(Found<'_>)) {
        if self.escaped {
            self.escaped = false;
            self.next += 1;
            return;
        }
        let rest = bytes.get(self.next..).unwrap_or_default();
        let Some(ahead) = memchr3(b'"', b'\\', b'\n', rest) else {
            self.next = bytes.len();
            return;
        };
        self.next += ahead + 1;
        match rest.get(ahead) {
            Some(b'\\') => self.escaped = true,
            Some(b'"') => {
                let begun = self.text.take().unwrap_or_default();
                if self.depth == 1 && self.floor == 0 {
                    let text = bytes.get(begun..self.next - 1).unwrap_or_default();
                    // Of what is not kept, the beginning of the text may be gone.
                    self.listed = matches!(self.inside, Inside::Record(_)) && LISTS.contains(&text);
                }
            }
            // No text of JSON holds a line break: what was to be a record ended before, and the next line begins anew.
            _ => {
                take(Found::Broken { at: self.begin(), why: "a record that is cut off" });
                self.anew();
            }
        }
    }

    fn anew(&mut self) {
        (self.inside, self.depth, self.floor, self.text, self.listed) = (Inside::No, 0, 0, None, false);
    }

    /// One byte between records.
    fn between(&mut self, bytes: &[u8], byte: u8, take: &mut impl FnMut(Found<'_>)) {
        match byte {
            b',' => self.next += 1,
            b'{' => {
                self.inside = Inside::Record(self.next);
                self.told = false;
                self.mark(bytes, byte, take);
            }
            b'[' if self.floor == 0 => {
                self.next += 1;
                (self.depth, self.floor) = (1, 1);
            }
            b'}' | b']' if self.floor > 0 => {
                self.next += 1;
                self.depth = self.floor - 1;
                // Behind the records of a file other fields may follow.
                self.inside = if self.depth > 0 { Inside::Dropped } else { Inside::No };
                self.floor = 0;
            }
            // The mark of the order of bytes, which some tools put before UTF-8.
            0xef | 0xbb | 0xbf if self.offset + (self.next as u64) < 3 => self.next += 1,
            _ => {
                if !self.told {
                    self.told = true;
                    take(Found::Broken { at: self.begin(), why: "no JSON object" });
                }
                if byte == b'"' {
                    self.text = Some(self.next + 1);
                }
                self.next += 1;
            }
        }
    }

    /// A bracket, or the beginning of a text, inside of a record.
    fn mark(&mut self, bytes: &[u8], mark: u8, take: &mut impl FnMut(Found<'_>)) {
        let at = self.next;
        self.next += 1;
        match mark {
            b'"' => self.text = Some(self.next),
            b'[' if self.depth == 1 && self.listed && matches!(self.inside, Inside::Record(_)) => {
                self.listed = false;
                (self.inside, self.depth, self.floor) = (Inside::No, 2, 2);
            }
            b'{' if self.depth > self.floor && self.is_next_line(bytes, at) => {
                take(Found::Broken { at: self.begin(), why: "a record that is cut off" });
                self.anew();
                (self.inside, self.depth) = (Inside::Record(at), 1);
            }
            b'{' | b'[' => self.depth += 1,
            _ => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth > self.floor {
                    return;
                }
                if let Inside::Record(start) = self.inside {
                    let bytes = bytes.get(start..self.next).unwrap_or_default();
                    take(Found::Record { at: self.offset + start as u64, bytes });
                }
                self.inside = Inside::No;
            }
        }
    }

    /// Whether an opening bracket begins a line and nothing before it can have led to it, so that the line before was cut off.
    fn is_next_line(&self, bytes: &[u8], at: usize) -> bool {
        let before = bytes.get(..at).unwrap_or_default();
        let [behind, sign] = &self.behind;
        *before.last().unwrap_or(behind) == b'\n'
            && !matches!(before.trim_ascii_end().last().unwrap_or(sign), b',' | b':' | b'[' | b'{')
    }
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;

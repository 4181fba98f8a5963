//! Events as TensorBoard reads them.
//!
//! An event file is a row of records, all numbers little-endian:
//!
//! ```text
//! u64 length of data, u32 masked crc of those 8 bytes, data, u32 masked crc of data
//! ```
//!
//! The crc is CRC-32C (Castagnoli; reflected polynomial 0x82f63b78), masked as `rotate_right(crc, 15) + 0xa282ead8`, so that a
//! crc over data that holds crcs stays good. The data are a protocol buffer `Event`:
//!
//! | field | number, type | here |
//! |---|---|---|
//! | `wall_time` | 1, double | seconds since 1970 |
//! | `step` | 2, int64 | steps of the whole training |
//! | `file_version` | 3, string | `brain.Event:2`, in the first record alone |
//! | `summary` | 5, message | `value`: 1, message; of it `tag`: 1, string, and `simple_value`: 2, float |
//!
//! Sources: TensorFlow, `lib/io/record_writer.h`, `core/util/event.proto`, `core/framework/summary.proto`; RFC 3720,
//! appendix B.4, for CRC-32C.

use super::sink::Sink;
use crate::train::{Event, Listener};
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes a TensorBoard event file: `loss/step` about [`TensorBoard::STEPS`] times an epoch, and for each epoch `loss/train`,
/// `loss/validation`, `accuracy/validation`, `macro_f1/validation`, `balanced_accuracy/validation` and
/// `learning_rate`; at the end `loss/test` and `accuracy/test`. TensorBoard reads files with `tfevents` in their names.
///
/// ```
/// use bratt::report::TensorBoard;
/// let board = TensorBoard::new(Vec::new());
/// # board.finish()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TensorBoard<W> {
    sink: Sink<W>,
    /// Of the whole training.
    step: u64,
}

impl<W: Write> TensorBoard<W> {
    /// Records of steps an epoch, about.
    pub const STEPS: usize = 100;

    /// Writes to `out`, which should be buffered; it is flushed after every event but steps.
    pub fn new(out: W) -> TensorBoard<W> {
        let mut sink = Sink::new(out);
        let mut first = Vec::new();
        double(&mut first, 1, now());
        text(&mut first, 3, b"brain.Event:2");
        sink.attempt(|out| record(out, &first));
        TensorBoard { sink, step: 0 }
    }

    /// Flushes.
    ///
    /// # Errors
    /// The first error met while writing.
    pub fn finish(self) -> io::Result<()> {
        self.sink.finish()
    }

    /// One record with these numbers, those that are there.
    fn scalars(&mut self, scalars: &[(&str, Option<f64>)], flush: bool) {
        let mut summary = Vec::new();
        for &(tag, value) in scalars {
            let Some(value) = value else { continue };
            let mut entry = Vec::new();
            text(&mut entry, 1, tag.as_bytes());
            single(&mut entry, 2, value as f32);
            text(&mut summary, 1, &entry);
        }
        let mut event = Vec::new();
        double(&mut event, 1, now());
        integer(&mut event, 2, self.step);
        text(&mut event, 5, &summary);
        self.sink.attempt(|out| {
            record(out, &event)?;
            if flush { out.flush() } else { Ok(()) }
        });
    }
}

impl<W: Write> Listener for TensorBoard<W> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Step { epoch, step, steps, loss, .. } => {
                self.step = (epoch.saturating_sub(1) * steps + step) as u64;
                if step % steps.div_ceil(Self::STEPS).max(1) == 0 || step == steps {
                    self.scalars(&[("loss/step", Some(*loss))], false);
                }
            }
            Event::Epoch(end) => {
                let score = end.validation;
                let scalars = [
                    ("loss/train", Some(end.train_loss)),
                    ("loss/validation", score.map(|score| score.loss)),
                    ("accuracy/validation", score.and_then(|score| score.accuracy)),
                    ("macro_f1/validation", score.and_then(|score| score.macro_f1)),
                    ("balanced_accuracy/validation", score.and_then(|score| score.balanced_accuracy)),
                    ("learning_rate", Some(end.learning_rate)),
                ];
                self.scalars(&scalars, true);
            }
            Event::Tested { test } => {
                let scalars = [("loss/test", Some(test.loss)), ("accuracy/test", test.accuracy())];
                self.scalars(&scalars, true);
            }
            _ => {}
        }
    }
}

/// TensorBoard shows when things happened, if asked.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

fn record(out: &mut impl Write, data: &[u8]) -> io::Result<()> {
    let length = (data.len() as u64).to_le_bytes();
    out.write_all(&length)?;
    out.write_all(&masked(crc32c(&length)).to_le_bytes())?;
    out.write_all(data)?;
    out.write_all(&masked(crc32c(data)).to_le_bytes())
}

fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc: u32, &byte| crc >> 8 ^ TABLE[usize::from(crc as u8 ^ byte)])
}

// The parts of a protocol buffer: a key, `number * 8 + kind`, and what belongs to it.

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn integer(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3);
    varint(out, value);
}

fn double(out: &mut Vec<u8>, field: u8, value: f64) {
    out.push(field << 3 | 1);
    out.extend(value.to_le_bytes());
}

/// Text, or a message within.
fn text(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn single(out: &mut Vec<u8>, field: u8, value: f32) {
    out.push(field << 3 | 5);
    out.extend(value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{EpochEnd, Score};

    #[test]
    fn published_sums() {
        // RFC 3720, appendix B.4, and the usual check of CRC catalogues.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let rising: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&rising), 0x46dd_794e);
        // leveldb and TensorFlow: a mask that can be undone, and changes the sum.
        let crc = crc32c(b"foo");
        assert_ne!(masked(crc), crc);
        assert_eq!(masked(crc).wrapping_sub(0xa282_ead8).rotate_left(15), crc);
        assert_eq!(masked(0), 0xa282_ead8);
    }

    /// The first bytes of every event file that TensorFlow writes: 24 bytes of data, and their length's sum.
    #[test]
    fn the_head_of_a_known_file() {
        let mut file = Vec::new();
        TensorBoard::new(&mut file).finish().unwrap();
        assert_eq!(file[..12], [0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(&file[21..36], b"\x1a\x0dbrain.Event:2");
        assert_eq!(file.len(), 12 + 24 + 4);
    }

    /// Reads records and their scalars as the format says, without the functions that write them.
    fn read(mut file: &[u8]) -> Vec<(u64, Vec<(String, f32)>)> {
        let mut events = Vec::new();
        while !file.is_empty() {
            let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
            let data = &file[12..12 + length];
            let sum = u32::from_le_bytes(file[12 + length..16 + length].try_into().unwrap());
            assert_eq!(sum, masked(crc32c(data)));
            file = &file[16 + length..];
            let (mut step, mut scalars) = (0, Vec::new());
            for (field, value) in fields(data) {
                match field {
                    2 => step = value.iter().rev().fold(0, |step, &byte| step << 7 | u64::from(byte & 0x7f)),
                    5 => {
                        for (_, entry) in fields(value) {
                            let parts: Vec<_> = fields(entry);
                            let tag = String::from_utf8(parts[0].1.to_vec()).unwrap();
                            scalars.push((tag, f32::from_le_bytes(parts[1].1.try_into().unwrap())));
                        }
                    }
                    _ => {}
                }
            }
            events.push((step, scalars));
        }
        events
    }

    fn fields(mut data: &[u8]) -> Vec<(u8, &[u8])> {
        let mut fields = Vec::new();
        while let Some((key, rest)) = data.split_first() {
            let varint = 1 + rest.iter().position(|byte| byte & 0x80 == 0).unwrap();
            let (skip, length) = match key & 7 {
                0 => (0, varint),
                1 => (0, 8),
                2 => (varint, rest[..varint].iter().rev().fold(0, |n, &b| n << 7 | usize::from(b & 0x7f))),
                5 => (0, 4),
                other => panic!("kind {other}"),
            };
            fields.push((key >> 3, &rest[skip..skip + length]));
            data = &rest[skip + length..];
        }
        fields
    }

    #[test]
    fn what_was_written_is_read_back() {
        let mut file = Vec::new();
        let mut board = TensorBoard::new(&mut file);
        let (learning_rate, examples_per_second) = (0.5, 1.0);
        for step in 1..=1000 {
            let loss = step as f64;
            board.event(&Event::Step {
                epoch: 2,
                step,
                steps: 1000,
                loss,
                learning_rate,
                examples_per_second,
            });
        }
        board.event(&Event::Epoch(EpochEnd {
            epoch: 2,
            train_loss: 0.75,
            validation: Some(Score {
                loss: 0.5,
                accuracy: Some(0.875),
                macro_f1: None,
                balanced_accuracy: None,
            }),
            best: true,
            learning_rate,
            seconds: 1.0,
            step_sizes: Vec::new(),
        }));
        board.finish().unwrap();
        let events = read(&file);
        assert_eq!(events.len(), 1 + TensorBoard::<Vec<u8>>::STEPS + 1);
        assert_eq!(events[1], (1010, vec![("loss/step".into(), 10.0)]));
        let expected = [
            ("loss/train", 0.75),
            ("loss/validation", 0.5),
            ("accuracy/validation", 0.875),
            ("learning_rate", 0.5),
        ];
        let expected: Vec<(String, f32)> = expected.map(|(tag, value)| (tag.to_string(), value)).into();
        assert_eq!(events[101], (2000, expected));
    }
}

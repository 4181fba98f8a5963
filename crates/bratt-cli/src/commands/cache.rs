//! `bratt data cache`

use crate::args::{CacheArgs, Global};
use crate::failure::Failure;
use crate::places;
use crate::terminal::{DIM, PLAIN, Terminal, To, bytes, counted};

/// Shows what is kept of decoded images, or removes it.
pub fn run(args: &CacheArgs, global: Global) -> Result<u8, Failure> {
    let mut terminal = Terminal::new(global, To::Output);
    let cache = places::pixel_cache()
        .ok_or_else(|| Failure::configuration("there is no home folder, so nothing is kept"))?;
    let usage =
        if args.clear { cache.clear() } else { cache.usage() }.map_err(|error| Failure::data(&error))?;
    let size = |number: u64| bytes(usize::try_from(number).unwrap_or(usize::MAX));
    let held = format!("{}, {}", counted(usage.files as u64, "file"), size(usage.bytes));
    let about = if args.clear {
        format!("removed {held}")
    } else {
        format!("{held} of at most {}", size(cache.limit()))
    };
    terminal.result(&format!("{}  {DIM}{about}{PLAIN}", cache.folder().display()));
    if !args.clear && usage.files > 0 {
        terminal.say(&format!("\n{DIM}to remove it{PLAIN}  bratt data cache --clear"));
    }
    Ok(0)
}

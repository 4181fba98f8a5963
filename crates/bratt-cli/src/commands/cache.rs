//! `bratt data cache`

use crate::args::{CacheArgs, Global};
use crate::failure::Failure;
use crate::terminal::{DIM, PLAIN, Terminal, To, bytes, counted};
use bratt::data::PixelCache;

/// Shows what is kept of decoded images, or removes it.
pub fn run(args: &CacheArgs, global: Global) -> Result<u8, Failure> {
    let mut terminal = Terminal::new(global, To::Output);
    let cache =
        cache().ok_or_else(|| Failure::configuration("there is no home folder, so nothing is kept"))?;
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

/// The cache of the user: `bratt` in `$XDG_CACHE_HOME`, or in what stands for it on the system.
pub fn cache() -> Option<PixelCache> {
    super::user_folder("XDG_CACHE_HOME", ["Library/Caches", ".cache"]).map(PixelCache::new)
}

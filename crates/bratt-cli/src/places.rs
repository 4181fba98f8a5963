//! Where the user's own files are kept.

use bratt::data::PixelCache;
use std::path::PathBuf;

/// Decoded images: `bratt` in `$XDG_CACHE_HOME`, or in what stands for it on the system.
pub fn pixel_cache() -> Option<PixelCache> {
    user_folder("XDG_CACHE_HOME", ["Library/Caches", ".cache"]).map(PixelCache::new)
}

/// Data sets that were fetched: `bratt` in `$XDG_DATA_HOME`, or in what stands for it on the system.
pub fn data_folder() -> Option<PathBuf> {
    user_folder("XDG_DATA_HOME", ["Library/Application Support", ".local/share"])
}

/// The program's folder in what a variable names, or else in `below` the home folder: on macOS, and elsewhere.
fn user_folder(variable: &str, below: [&str; 2]) -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = if cfg!(windows) {
        named("LOCALAPPDATA")
    } else {
        let below = below[usize::from(!cfg!(target_os = "macos"))];
        named(variable).or_else(|| named("HOME").map(|home| home.join(below)))
    };
    folder.map(|folder| folder.join("bratt"))
}

//! Floor 6: what remains of a training. Reads events, knows nothing of how they came about.
//!
//! | file | what |
//! |---|---|
//! | `jsonl` | [`JsonLines`]: every event as one JSON object a line |
//! | `csv` | [`EpochTable`]: one row an epoch |
//! | `tensorboard` | [`TensorBoard`]: an event file of TensorBoard |
//! | `sink` | errors while writing, kept for the end |
//! | `predictions` | [`write_predictions`]: one row an example |
//! | [`html`] | the report of a run as a page |
//! | `folder` | [`RunFolder`]: the folder of a run |
//! | `checkpoints` | [`Checkpoints`]: where training stands, kept in the folder now and then |

mod checkpoints;
mod csv;
mod folder;
pub mod html;
mod jsonl;
mod predictions;
mod sink;
mod split;
mod tensorboard;

pub use checkpoints::Checkpoints;
pub use csv::EpochTable;
pub use folder::{RunError, RunFolder};
pub use jsonl::JsonLines;
pub use predictions::{PredictionsFormat, write_file, write_predictions};
pub use tensorboard::TensorBoard;

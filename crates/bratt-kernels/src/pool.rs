//! A small persistent thread pool for steps that last microseconds.
//!
//! A run is a number of parts. Each thread, the calling one among them, claims parts one by one from its own share, and
//! when that is used up from the shares of the others. So a thread works on parts that follow each other, which often
//! share memory, and threads on parts that are far apart, which seldom share cache lines. Who computes a part is left to
//! chance in the end, so a part's result must depend on its number alone.
//!
//! Workers spin for a moment after a run, so that steps which follow each other start within about a microsecond,
//! and then sleep. Nothing is allocated during a run.
//!
//! ```
//! use bratt_kernels::pool::Pool;
//! use std::sync::atomic::{AtomicUsize, Ordering};
//!
//! let pool = Pool::new(2);
//! let sum = AtomicUsize::new(0);
//! pool.run(100, &|part, _worker| {
//!     sum.fetch_add(part, Ordering::Relaxed);
//! });
//! assert_eq!(sum.into_inner(), 4950);
//! ```

use std::any::Any;
use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long an idle worker watches for the next run before it sleeps.
const SPIN: Duration = Duration::from_micros(40);
/// Spins between two looks at the clock, or before giving way to other threads.
const SPIN_BATCH: usize = 32;
/// The value of [`Shared::open`] between runs.
const CLOSED: u64 = 0;

/// What a run calls with (part, worker).
type Work<'a> = dyn Fn(usize, usize) + Sync + 'a;

#[derive(Clone, Copy)]
struct Job {
    work: *const Work<'static>,
    parts: usize,
}

/// On a cache line of its own (two, as processors fetch them in pairs).
#[repr(align(128))]
struct Padded<T>(T);

/// What caller and workers share.
///
/// `job` may be written by the thread that holds `busy` while `open` is `CLOSED` and `active` was seen to be 0
/// afterwards; it may be read by a worker that has counted itself into `active` and then seen `open` not `CLOSED`.
/// The sequentially consistent order of `open` and `active` makes these two exclude each other.
struct Shared {
    /// The number of the run that workers may join, or `CLOSED`.
    open: Padded<AtomicU64>,
    /// Workers that may be looking at `job`.
    active: Padded<AtomicUsize>,
    /// The next part to claim of each thread's share.
    next: Vec<Padded<AtomicUsize>>,
    job: UnsafeCell<Job>,
    quit: AtomicBool,
    /// The first panic of the run.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Whether each worker is asleep, or about to be.
    asleep: Vec<Padded<AtomicBool>>,
    spin: Duration,
}

// SAFETY: `job` is the only field that is not `Sync` or `Send`; its access is ordered as `Shared` says, and the work it
// points to is `Sync` and outlives the run.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

/// A pool of threads. The thread that calls [`Pool::run`] is one of them.
pub struct Pool {
    shared: Arc<Shared>,
    /// Set while a run is under way.
    busy: AtomicBool,
    runs: AtomicU64,
    workers: Vec<Thread>,
    handles: Vec<JoinHandle<()>>,
}

impl Pool {
    /// A pool of `threads` threads, the caller's own among them; 0 counts as 1. Where the system refuses a thread,
    /// the pool works with those it has.
    pub fn new(threads: usize) -> Pool {
        let extra = threads.max(1) - 1;
        let cores = thread::available_parallelism().map_or(1, |n| n.get());
        let shared = Arc::new(Shared {
            open: Padded(AtomicU64::new(CLOSED)),
            active: Padded(AtomicUsize::new(0)),
            next: (0..=extra).map(|_| Padded(AtomicUsize::new(0))).collect(),
            job: UnsafeCell::new(Job { work: &|_, _| (), parts: 0 }),
            quit: AtomicBool::new(false),
            panic: Mutex::new(None),
            asleep: (0..extra).map(|_| Padded(AtomicBool::new(false))).collect(),
            // Spinning only steals time from the others when there are more threads than cores.
            spin: if threads > cores { Duration::ZERO } else { SPIN },
        });
        let mut handles = Vec::with_capacity(extra);
        for index in 0..extra {
            let shared = Arc::clone(&shared);
            let spawned = thread::Builder::new()
                .name(format!("bratt-{}", index + 1))
                .spawn(move || shared.serve(index));
            match spawned {
                Ok(handle) => handles.push(handle),
                Err(_) => break,
            }
        }
        Pool {
            shared,
            busy: AtomicBool::new(false),
            runs: AtomicU64::new(0),
            workers: handles.iter().map(|h| h.thread().clone()).collect(),
            handles,
        }
    }

    /// The number of threads: the `worker` given to the work is below it.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `work(part, worker)` once for each `part` below `parts`, on any worker in any order, and returns when
    /// all are done. No two calls that overlap in time have the same `worker`.
    ///
    /// A run from within a run, or while another thread runs the pool, is done by the caller alone, as worker 0 of
    /// a run of its own.
    ///
    /// # Panics
    /// If a part panics, the remaining parts are dropped and the panic goes on in the caller. What others panic with at
    /// the same time is leaked.
    pub fn run(&self, parts: usize, work: &Work<'_>) {
        if parts <= 1 || self.workers.is_empty() || self.busy.swap(true, Ordering::Acquire) {
            (0..parts).for_each(|part| work(part, 0));
            return;
        }
        let shared = &*self.shared;
        let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        // SAFETY: only the lifetime changes. Workers use the reference while they count as `active` in an open run;
        // below, the run is closed and `active` awaited before this function returns or unwinds.
        let work = unsafe { std::mem::transmute::<&Work<'_>, &Work<'static>>(work) };
        let job = Job { work, parts };
        // SAFETY: this thread holds `busy`, `open` is `CLOSED`, and the last run saw `active` fall to 0 after that.
        unsafe { *shared.job.get() = job };
        for (share, next) in shared.next.iter().enumerate() {
            next.0.store(shared.share(share, parts).start, Ordering::Relaxed);
        }
        shared.open.0.store(run, Ordering::SeqCst);
        for (worker, asleep) in self.workers.iter().zip(&shared.asleep).take(parts - 1) {
            if asleep.0.load(Ordering::SeqCst) && asleep.0.swap(false, Ordering::SeqCst) {
                worker.unpark();
            }
        }
        shared.work(job, 0);
        shared.open.0.store(CLOSED, Ordering::SeqCst);
        let mut spins = 0;
        while shared.active.0.load(Ordering::SeqCst) != 0 {
            spins += 1;
            if spins % SPIN_BATCH == 0 && (shared.spin.is_zero() || spins > 100 * SPIN_BATCH) {
                thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
        let panic = (shared.panic.lock()).unwrap_or_else(PoisonError::into_inner).take();
        self.busy.store(false, Ordering::Release);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }
}

impl Shared {
    /// The parts of one thread's share.
    fn share(&self, index: usize, parts: usize) -> Range<usize> {
        let shares = self.next.len();
        // In this order so that nothing overflows.
        let bound = |i: usize| parts / shares * i + (parts % shares) * i / shares;
        bound(index)..bound(index + 1)
    }

    /// Claims parts until there are none left.
    fn work(&self, job: Job, worker: usize) {
        let claim = || {
            // SAFETY: the run that `job` belongs to waits for this worker.
            let work = unsafe { &*job.work };
            for share in (worker..self.next.len()).chain(0..worker) {
                let end = self.share(share, job.parts).end;
                loop {
                    let part = self.next[share].0.fetch_add(1, Ordering::Relaxed);
                    if part >= end {
                        break;
                    }
                    work(part, worker);
                }
            }
        };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(claim)) {
            self.next.iter().for_each(|next| next.0.store(job.parts, Ordering::Relaxed));
            let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
            if first.is_none() {
                *first = Some(payload);
            } else {
                // Its destructor might panic, here where nothing would catch it.
                std::mem::forget(payload);
            }
        }
    }

    /// The life of a worker.
    fn serve(&self, index: usize) {
        let mut last = CLOSED;
        while self.wait(index, last) {
            self.active.0.fetch_add(1, Ordering::SeqCst);
            let run = self.open.0.load(Ordering::SeqCst);
            if run != CLOSED {
                // SAFETY: counted as active, and the run is open.
                let job = unsafe { *self.job.get() };
                self.work(job, index + 1);
                last = run;
            }
            self.active.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Waits for a run other than `last`; false if the pool is to end.
    fn wait(&self, index: usize, last: u64) -> bool {
        let news = || {
            let run = self.open.0.load(Ordering::SeqCst);
            (run != CLOSED && run != last) || self.quit.load(Ordering::SeqCst)
        };
        let start = Instant::now();
        loop {
            for _ in 0..SPIN_BATCH {
                if news() {
                    return !self.quit.load(Ordering::SeqCst);
                }
                std::hint::spin_loop();
            }
            if start.elapsed() >= self.spin {
                break;
            }
        }
        loop {
            // The flag is raised before the last look, and the caller opens the run before it looks at the flag:
            // one of the two sees the other.
            self.asleep[index].0.store(true, Ordering::SeqCst);
            if news() {
                self.asleep[index].0.store(false, Ordering::SeqCst);
                return !self.quit.load(Ordering::SeqCst);
            }
            thread::park();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.quit.store(true, Ordering::SeqCst);
        for handle in self.handles.drain(..) {
            handle.thread().unpark();
            // Panics of the work have gone to its caller; a worker itself has nothing to report.
            let _ = handle.join();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_runs_once_on_any_number_of_threads() {
        for threads in [0, 1, 2, 3, 8] {
            let pool = Pool::new(threads);
            assert_eq!(pool.threads(), threads.max(1));
            for parts in [0, 1, 2, 3, 7, 64, 1000] {
                let calls: Vec<_> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
                pool.run(parts, &|part, worker| {
                    assert!(worker < pool.threads());
                    calls[part].fetch_add(1, Ordering::Relaxed);
                });
                assert!(calls.iter().all(|c| c.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn many_short_runs_with_pauses_lose_nothing() {
        let pool = Pool::new(4);
        let sum = AtomicUsize::new(0);
        for i in 0..5000 {
            pool.run(5, &|part, _| {
                sum.fetch_add(part + 1, Ordering::Relaxed);
            });
            if i % 1000 == 0 {
                thread::sleep(Duration::from_millis(2)); // Lets the workers fall asleep.
            }
        }
        assert_eq!(sum.into_inner(), 5000 * 15);
    }

    #[test]
    fn calls_that_overlap_have_different_workers() {
        let pool = Pool::new(3);
        let held: Vec<_> = (0..3).map(|_| AtomicBool::new(false)).collect();
        pool.run(300, &|_, worker| {
            assert!(!held[worker].swap(true, Ordering::SeqCst));
            thread::yield_now();
            held[worker].store(false, Ordering::SeqCst);
        });
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        for threads in [1, 2, 8] {
            let pool = Pool::new(threads);
            for bad in [0, 13, 99] {
                let run = || pool.run(100, &|part, _| assert!(part != bad, "part {part} fails"));
                let payload = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
                let text = payload.downcast_ref::<String>().unwrap();
                assert_eq!(text, &format!("part {bad} fails"));
            }
            let sum = AtomicUsize::new(0);
            pool.run(10, &|part, _| {
                sum.fetch_add(part, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 45);
        }
    }

    /// Dropping what a part panicked with may panic itself, which would end a worker that nobody could await again.
    #[test]
    fn only_the_first_panic_is_handed_on_and_none_is_dropped() {
        static DROPPED: AtomicUsize = AtomicUsize::new(0);
        struct Counted;
        impl Drop for Counted {
            fn drop(&mut self) {
                DROPPED.fetch_add(1, Ordering::SeqCst);
            }
        }
        let pool = Pool::new(2);
        let both = std::sync::Barrier::new(pool.threads());
        let run = || {
            pool.run(2, &|_, _| {
                both.wait();
                std::panic::panic_any(Counted);
            });
        };
        let payload = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
        assert!(payload.is::<Counted>());
        assert_eq!(DROPPED.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_run_within_a_run_is_done_by_its_caller() {
        let pool = Pool::new(3);
        let sum = AtomicUsize::new(0);
        pool.run(8, &|_, _| {
            pool.run(4, &|part, worker| {
                assert_eq!(worker, 0);
                sum.fetch_add(part, Ordering::Relaxed);
            });
        });
        assert_eq!(sum.into_inner(), 8 * 6);
    }
}

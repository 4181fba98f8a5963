//! After the first run, a compiled step allocates nothing, on one thread and on two.

use bratt::compile::{Options, compile};
use bratt::exec::{Key, Machine, Slots};
use bratt::graph::{Graph, Init, Role};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counting what all threads ask of it.
struct Counting;

static REQUESTS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to `System` as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        REQUESTS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        REQUESTS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A training step with every kind of kernel: products, fused maps, sums over all sides, copies, random numbers.
fn step() -> Graph {
    let g = Graph::builder();
    let (x, labels) = (g.input("x", [96, 40]), g.input("labels", [96]));
    let (w_slot, w) = g.slot("w", [40, 70], Role::Parameter, Init::Normal(0.1));
    let (v_slot, v) = g.slot("v", [70, 10], Role::Parameter, Init::Normal(0.1));
    let padded = g.pad(g.slice(x, &[0, 1], &[96, 40]), &[0, 0], &[0, 1], 0.5);
    let hidden = g.standardize(g.matmul(padded, w), &[0], 1e-5);
    let logits = g.matmul(g.dropout_inverted(g.relu(hidden), 0.5), v);
    let loss = g.mean_all(g.cross_entropy(logits, labels));
    g.output("loss", loss);
    for ((slot, value), gradient) in [(w_slot, w), (v_slot, v)].into_iter().zip(g.gradients(loss, [w, v])) {
        g.update(slot, g.sub(value, g.mul(gradient, g.constant(0.1))));
    }
    g.finish().expect("a valid graph")
}

// One test: another one's requests would be counted, too.
#[test]
fn a_run_allocates_nothing_after_the_first() {
    let graph = step();
    for threads in [1, 2] {
        let program = compile(&graph, &Options::default()).expect("compiles");
        let mut slots = Slots::new(program.layout().clone(), 0);
        let mut runner = Machine::new(threads).load(program);
        let x: Vec<f32> = (0..96 * 40).map(|i| (i as f32).sin()).collect();
        let labels: Vec<f32> = (0..96).map(|i| (i % 3) as f32).collect();
        let mut train = |step: u64| {
            runner.set("x", &x).expect("an input");
            runner.set("labels", &labels).expect("an input");
            runner.run(&mut slots, Key { seed: 1, step });
            runner.get("loss").expect("an output")[0]
        };
        let first = train(0);
        // Threads start in their own time, which allocates.
        std::thread::sleep(std::time::Duration::from_millis(100));
        let before = REQUESTS.load(Ordering::SeqCst);
        let mut last = first;
        for step in 1..20 {
            last = train(step);
        }
        let requests = REQUESTS.load(Ordering::SeqCst) - before;
        assert_eq!(requests, 0, "{threads} threads");
        assert!(last < first, "the step does train: loss {first}, then {last}");
    }
    // The counter counts.
    let before = REQUESTS.load(Ordering::SeqCst);
    drop(std::hint::black_box(vec![1_u8; 100]));
    assert!(REQUESTS.load(Ordering::SeqCst) > before);
}

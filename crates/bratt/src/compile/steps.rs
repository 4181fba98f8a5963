//! Groups into kernel calls with memory.

use super::Options;
use super::fuse::emit::{self, Stores, Target};
use super::fuse::group::Group;
use super::fuse::merge;
use super::fuse::view::{Class, Views};
use super::layout::StateLayout;
use super::memory::{self, Life};
use super::movement;
use super::program::{Port, Program, Step};
use crate::graph::{Graph, Op, SlotId, Value};
use bratt_kernels::gemm::Windows;
use bratt_kernels::plan::{Instance, Space, Span, StepSpec, TapeSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The program of a lowered graph.
pub(crate) fn program(graph: &Graph, layout: Arc<StateLayout>, options: &Options) -> Program {
    let views = Views::new(graph, options.fuse);
    let grouping = merge::group(&views, options.fuse);
    let mut maker = Maker {
        views: &views,
        layout: &layout,
        groups: &grouping.groups,
        in_place: grouping.in_place,
        spans: BTreeMap::new(),
        old: BTreeSet::new(),
        work_len: 0,
        winograd: options.winograd,
    };
    maker.keep_extents();
    maker.place(options.reuse_memory);
    let mut steps = maker.save_old();
    for group in &grouping.groups {
        steps.extend(maker.group(group));
    }
    steps.extend(maker.late_updates());
    let inputs = graph.inputs().iter().enumerate().map(|(i, input)| Port {
        name: input.name.clone(),
        shape: input.shape.clone(),
        span: maker.spans[&Key::Input(i)],
    });
    let outputs = graph.outputs().iter().map(|(name, v)| Port {
        name: name.clone(),
        shape: graph.node(*v).shape.clone(),
        span: maker.before_step(views.base(*v)),
    });
    let (inputs, outputs) = (inputs.collect(), outputs.collect());
    let work_len = maker.work_len;
    let steps = if options.fuse { batch_maps(steps) } else { steps };
    Program { steps, layout: layout.clone(), work_len, inputs, outputs }
}

/// What has a place in the work memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key {
    Input(usize),
    Node(usize),
    /// A copy of a slot's value before the step, for results that are just that.
    Old(SlotId),
}

struct Maker<'a, 'g> {
    views: &'a Views<'g>,
    layout: &'a StateLayout,
    groups: &'a [Group],
    in_place: Vec<bool>,
    spans: BTreeMap<Key, Span>,
    /// Slots whose old value is a result of the graph.
    old: BTreeSet<SlotId>,
    work_len: usize,
    winograd: bool,
}

impl<'g> Maker<'_, 'g> {
    fn graph(&self) -> &'g Graph {
        self.views.graph
    }

    fn slot_span(&self, slot: SlotId) -> Span {
        let name = &self.graph().slots()[slot.index()].name;
        let index = self.layout.slots().iter().position(|s| s.name == *name).unwrap_or(slot.index());
        self.layout.span(index)
    }

    /// The memory of a base node.
    fn span(&self, base: usize) -> Span {
        match &self.views.node(base).op {
            Op::Input { index, .. } => self.spans[&Key::Input(*index as usize)],
            Op::Slot { slot, .. } => self.slot_span(*slot),
            _ => self.spans[&Key::Node(base)],
        }
    }

    /// The base nodes that a step reads from memory.
    fn reads(&self, group: &Group) -> Vec<usize> {
        let mut bases = Vec::new();
        for &node in &group.nodes {
            match self.views.class(node) {
                Class::Tape => bases.extend(self.views.operands(node).iter().map(|o| o.base)),
                _ => bases.extend(self.views.sources(node)),
            }
        }
        bases.retain(|&b| group.extent(b).is_none() && self.views.class(b) != Class::Inline);
        bases
    }

    fn results(&self) -> impl Iterator<Item = Value> + '_ {
        let late = self.graph().updates().iter().zip(&self.in_place).filter(|(_, in_place)| !**in_place);
        self.graph().outputs().iter().map(|o| o.1).chain(late.map(|(u, _)| u.1))
    }

    /// An update in place must write the slot with the extent with which its own step reads it, since tiles of one
    /// step would otherwise see each other's new values.
    fn keep_extents(&mut self) {
        for (i, &(slot, value)) in self.graph().updates().iter().enumerate() {
            let writer = self.views.base(value);
            let Some(group) = self.groups.iter().find(|g| g.extent(writer).is_some()) else { continue };
            let emitted = emit::tape(self.views, group, &Stores::none());
            let read_otherwise =
                emitted.targets.iter().zip(&emitted.spec.extents).any(|(target, &extent)| {
                    matches!(target, Target::Load(base)
                    if matches!(&self.views.node(*base).op, Op::Slot { slot: s, .. } if *s == slot)
                        && self.views.len(*base) > 1
                        && Some(extent) != group.extent(writer))
                });
            if read_otherwise {
                self.in_place[i] = false;
            }
        }
    }

    /// Gives every value that crosses steps its place.
    fn place(&mut self, reuse: bool) {
        let end = self.groups.len() + 1;
        let mut lives: BTreeMap<Key, Life> = BTreeMap::new();
        for (i, input) in self.graph().inputs().iter().enumerate() {
            lives.insert(Key::Input(i), Life { len: input.shape.len(), first: 0, last: end });
        }
        let mut written = BTreeMap::new();
        for (step, group) in self.groups.iter().enumerate() {
            for &node in &group.nodes {
                written.insert(node, step + 1);
            }
        }
        let mut read = |base: usize, at: usize, len: usize| {
            if let Some(&first) = written.get(&base) {
                let life = lives.entry(Key::Node(base)).or_insert(Life { len, first, last: first });
                life.last = life.last.max(at);
            }
        };
        for (step, group) in self.groups.iter().enumerate() {
            for base in self.reads(group) {
                read(base, step + 1, self.views.len(base));
            }
        }
        let results: Vec<Value> = self.results().collect();
        for &value in &results {
            let base = self.views.base(value);
            read(base, end, self.views.len(base));
        }
        let mut old = BTreeSet::new();
        let results =
            self.graph().outputs().iter().map(|o| o.1).chain(self.graph().updates().iter().map(|u| u.1));
        for value in results {
            if let Op::Slot { slot, .. } = &self.views.node(self.views.base(value)).op {
                let len = self.views.len(self.views.base(value));
                lives.insert(Key::Old(*slot), Life { len, first: 0, last: end });
                old.insert(*slot);
            }
        }
        self.old = old;
        let all: Vec<Life> = lives.values().copied().collect();
        let (offsets, len) = memory::place(&all, reuse);
        self.work_len = len;
        for ((&key, life), offset) in lives.iter().zip(offsets) {
            self.spans.insert(key, Span { space: Space::Work, offset, len: life.len });
        }
    }

    /// The memory of a result: a slot's value is the one before the step.
    fn before_step(&self, base: usize) -> Span {
        match &self.views.node(base).op {
            Op::Slot { slot, .. } => self.spans[&Key::Old(*slot)],
            _ => self.span(base),
        }
    }

    /// Copies of old slot values that are results.
    fn save_old(&self) -> Vec<Step> {
        let copy = |&slot: &SlotId| {
            let (src, dst) = (self.slot_span(slot), self.spans[&Key::Old(slot)]);
            plain_copy(src, dst, format!("save {}", self.graph().slots()[slot.index()].name))
        };
        self.old.iter().map(copy).collect()
    }

    /// Updates that could not be made in place.
    fn late_updates(&self) -> Vec<Step> {
        let updates = self.graph().updates().iter().zip(&self.in_place).filter(|(_, in_place)| !**in_place);
        updates
            .map(|(&(slot, value), _)| {
                let base = self.views.base(value);
                plain_copy(
                    self.before_step(base),
                    self.slot_span(slot),
                    format!("update {}", self.graph().slots()[slot.index()].name),
                )
            })
            .collect()
    }

    fn group(&self, group: &Group) -> Vec<Step> {
        if group.is_move {
            let node = self.views.node(group.nodes[0]);
            let source = |i: usize| {
                let value = node.inputs[i];
                (self.span(self.views.base(value)), self.graph().node(value).shape.clone())
            };
            let (layers, what) = (node.origin.layer.to_string(), node.op.name().to_string());
            let specs = movement::copies(node, self.span(group.nodes[0]), source);
            return specs
                .into_iter()
                .map(|spec| Step { spec, layers: layers.clone(), what: what.clone() })
                .collect();
        }
        let mut stores = Stores::none();
        stores.values =
            group.nodes.iter().copied().filter(|&n| self.spans.contains_key(&Key::Node(n))).collect();
        for (i, &(_, value)) in self.graph().updates().iter().enumerate() {
            let base = self.views.base(value);
            if self.in_place[i] && group.extent(base).is_some() {
                stores.updates.entry(base).or_default().push(i);
            }
        }
        let emitted = emit::tape(self.views, group, &stores);
        let spans = emitted.targets.iter().map(|target| match *target {
            Target::Load(base) | Target::Store(base) => self.span(base),
            Target::Update(i) => self.slot_span(self.graph().updates()[i].0),
        });
        let (rows, cols) = group.space.rows_cols();
        let instance = Instance { rows, cols, spans: spans.collect() };
        let spec = match group.matmul {
            None => StepSpec::Map { tape: emitted.spec, instances: vec![instance] },
            Some(node) => self.matmul(node, emitted.spec, instance),
        };
        let (layers, what) = self.describe(group);
        vec![Step { spec, layers, what }]
    }

    fn matmul(&self, node: usize, tape: TapeSpec, instance: Instance) -> StepSpec {
        let inputs = &self.views.node(node).inputs;
        let (trans_a, trans_b, depthwise) = match self.views.node(node).op {
            Op::MatMul { trans_a, trans_b } => (trans_a, trans_b, false),
            Op::DepthwiseMatMul { trans_a } => (trans_a, false, true),
            _ => (false, false, false),
        };
        let a_shape = &self.graph().node(inputs[0]).shape;
        let sources = self.views.sources(node);
        let taps = if depthwise { a_shape[1] / instance.cols } else { a_shape[1] };
        let windows = self.windows(self.views.base(inputs[0]));
        StepSpec::MatMul {
            m: instance.rows,
            n: instance.cols,
            k: if trans_a { a_shape[0] } else { taps },
            a: self.span(sources[0]),
            trans_a,
            windows: windows.or_else(|| depthwise.then(|| in_memory(a_shape[0], taps, instance.cols))),
            depthwise,
            winograd: self.winograd,
            b: self.span(sources[1]),
            trans_b,
            tape,
            instance,
        }
    }

    /// The windows that a left factor is, if it is not in memory.
    fn windows(&self, base: usize) -> Option<Windows> {
        let (window, spread) = self.views.windows(base)?;
        let shape = &self.views.node(base).shape;
        let images = &self.graph().node(self.views.node(base).inputs[0]).shape;
        Some(Windows {
            images: images[0],
            extent: [images[1], images[2]],
            channels: images[3],
            kernel: window.kernel,
            stride: window.stride,
            dilation: window.dilation,
            spread,
            before: [window.padding.top, window.padding.left],
            outputs: [shape[1], shape[2]],
        })
    }

    /// Layers and operations of a group, in order and each once.
    fn describe(&self, group: &Group) -> (String, String) {
        let mut layers: Vec<&str> = Vec::new();
        let mut what: Vec<&str> = Vec::new();
        for &node in &group.nodes {
            let node = self.views.node(node);
            let layer = &*node.origin.layer;
            if !layer.is_empty() && !layers.contains(&layer) {
                layers.push(layer);
            }
            if !what.contains(&node.op.name()) {
                what.push(node.op.name());
            }
        }
        (layers.join(" "), what.join(" "))
    }
}

/// A matrix in memory as windows: each row is an image whose pixels one window sees.
fn in_memory(rows: usize, taps: usize, channels: usize) -> Windows {
    let ([one, row], before) = ([[1, 1], [1, taps]], [0, 0]);
    Windows {
        images: rows,
        extent: row,
        channels,
        kernel: row,
        stride: one,
        dilation: one,
        spread: one,
        before,
        outputs: one,
    }
}

fn plain_copy(src: Span, dst: Span, what: String) -> Step {
    let spec = StepSpec::Copy {
        dims: vec![src.len],
        src,
        src_start: 0,
        src_strides: vec![1],
        dst,
        dst_start: 0,
        dst_strides: vec![1],
    };
    Step { spec, layers: String::new(), what }
}

/// Joins maps of one tape that do not depend on each other into one step with several instances, so that, for
/// example, the update of all parameters starts the threads once.
fn batch_maps(steps: Vec<Step>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::new();
    for step in steps {
        let StepSpec::Map { tape, instances } = &step.spec else {
            out.push(step);
            continue;
        };
        // Back over steps that this one may overtake, to one of the same tape.
        let mut target = None;
        for (i, earlier) in out.iter().enumerate().rev() {
            if conflicts(&earlier.spec, &step.spec) {
                break;
            }
            if matches!(&earlier.spec, StepSpec::Map { tape: t, .. } if t == tape) {
                target = Some(i);
            }
        }
        match target {
            Some(i) => {
                if let StepSpec::Map { instances: known, .. } = &mut out[i].spec {
                    known.extend(instances.iter().cloned());
                }
                for layer in step.layers.split(' ').filter(|l| !l.is_empty()) {
                    if !out[i].layers.split(' ').any(|l| l == layer) {
                        out[i].layers = format!("{} {layer}", out[i].layers).trim().to_string();
                    }
                }
            }
            None => out.push(step),
        }
    }
    out
}

/// Whether one step writes what the other touches.
fn conflicts(a: &StepSpec, b: &StepSpec) -> bool {
    let overlap =
        |x: &Span, y: &Span| x.space == y.space && x.offset < y.offset + y.len && y.offset < x.offset + x.len;
    let (reads_a, writes_a) = touched(a);
    let (reads_b, writes_b) = touched(b);
    writes_a.iter().any(|w| reads_b.iter().chain(&writes_b).any(|x| overlap(w, x)))
        || writes_b.iter().any(|w| reads_a.iter().any(|x| overlap(w, x)))
}

/// The spans that a step reads and writes.
fn touched(spec: &StepSpec) -> (Vec<Span>, Vec<Span>) {
    use bratt_kernels::tape::Instr;
    let of_tape = |tape: &TapeSpec, instance: &Instance| {
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for instr in &tape.instrs {
            match instr {
                Instr::Load(o) => reads.push(instance.spans[o.0 as usize]),
                Instr::Store(o, _) => writes.push(instance.spans[o.0 as usize]),
                _ => {}
            }
        }
        (reads, writes)
    };
    match spec {
        StepSpec::Map { tape, instances } => {
            let (mut reads, mut writes) = (Vec::new(), Vec::new());
            for instance in instances {
                let (r, w) = of_tape(tape, instance);
                reads.extend(r);
                writes.extend(w);
            }
            (reads, writes)
        }
        StepSpec::MatMul { a, b, tape, instance, .. } => {
            let (mut reads, writes) = of_tape(tape, instance);
            reads.extend([*a, *b]);
            (reads, writes)
        }
        StepSpec::Copy { src, dst, .. } => (vec![*src], vec![*dst]),
        StepSpec::Fill { dst, .. } => (vec![], vec![*dst]),
    }
}

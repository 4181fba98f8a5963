//! Laws that hold for every graph.

use super::cases::broadcast_element;
use super::random_graph::random_graph;
use crate::exec::gradcheck::gradcheck;
use crate::exec::interpret::{Key, State, interpret};
use crate::graph::{Graph, GraphBuilder, Op, Value};
use crate::tensor::Tensor;
use proptest::prelude::*;

/// Two shapes that broadcast together, and what to: extents of 1 included.
fn joined_shapes() -> impl Strategy<Value = (Vec<usize>, Vec<usize>, Vec<usize>)> {
    let axes = prop::collection::vec((1_usize..4, any::<bool>(), any::<bool>()), 0..5);
    (axes, 0_usize..3, any::<bool>()).prop_map(|(axes, missing, left)| {
        let joined: Vec<usize> = axes.iter().map(|&(extent, _, _)| extent).collect();
        let with = |ones: &dyn Fn(&(usize, bool, bool)) -> bool| -> Vec<usize> {
            axes.iter().map(|axis| if ones(axis) { 1 } else { axis.0 }).collect()
        };
        // At most one side has extent 1 on an axis, and one side may lack leading axes.
        let (mut a, mut b) = (with(&|axis| axis.1 && axis.2), with(&|axis| axis.1 && !axis.2));
        let short = if left { &mut a } else { &mut b };
        let other: &[usize] = &joined;
        let lacking = missing.min(other.len());
        short.drain(..lacking);
        let full: &mut Vec<usize> = if left { &mut b } else { &mut a };
        full[..lacking].copy_from_slice(&joined[..lacking]);
        (a, b, joined)
    })
}

proptest! {
    #[test]
    fn broadcasting_is_its_definition((a, b, joined) in joined_shapes()) {
        let g = Graph::builder();
        let y = g.sub(g.input("a", a.clone()), g.input("b", b.clone()));
        g.output("y", y);
        let graph = g.finish().unwrap();
        prop_assert_eq!(&graph.node(graph.output("y").unwrap()).shape[..], &joined[..]);
        let a = Tensor::from_fn(a, |i| i as f64);
        let b = Tensor::from_fn(b, |i| 0.01 * i as f64);
        let trace = interpret(&graph, &[("a", &a), ("b", &b)], &State::new(), Key::default()).unwrap();
        for (i, &found) in trace.output("y").unwrap().data().iter().enumerate() {
            let expected = broadcast_element(&a, &joined, i) - broadcast_element(&b, &joined, i);
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn random_graphs_are_sound(seed in any::<u64>()) {
        let random = random_graph(seed);
        prop_assert_eq!(random.graph.verify(), Ok(()));
        let trace = interpret(&random.graph, &random.borrowed(), &random.state, Key { seed, step: 1 }).unwrap();
        for (node, value) in random.graph.nodes().iter().zip(trace.values()) {
            prop_assert_eq!(&node.shape, value.shape());
            prop_assert!(value.data().iter().all(|x| x.is_finite()), "{} in\n{}", node.op.name(), random.graph);
        }
    }

    #[test]
    fn rebuilding_changes_nothing(seed in any::<u64>()) {
        let graph = random_graph(seed).graph;
        let rebuilt = graph.rebuild(|g, node, inputs| g.add_node_from(node.op.clone(), inputs, &node.origin)).unwrap();
        prop_assert_eq!(&rebuilt, &graph);
        prop_assert_eq!(graph.clone().into_builder().finish().unwrap(), graph);
    }

    #[test]
    fn nothing_is_unused_or_twice_there(seed in any::<u64>()) {
        let graph = random_graph(seed).graph;
        let mut used = vec![false; graph.nodes().len()];
        let roots = graph.outputs().iter().map(|o| o.1).chain(graph.updates().iter().map(|u| u.1));
        roots.chain(graph.nodes().iter().flat_map(|n| n.inputs.clone())).for_each(|v| used[v.index()] = true);
        prop_assert!(used.iter().all(|&u| u));
        let distinct: std::collections::HashSet<(&Op, &Vec<Value>)> =
            graph.nodes().iter().map(|n| (&n.op, &n.inputs)).collect();
        prop_assert_eq!(distinct.len(), graph.nodes().len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn gradients_of_random_graphs_are_the_differences(seed in any::<u64>()) {
        let random = random_graph(seed);
        let slots: Vec<&str> = random.graph.slots().iter().map(|s| s.name.as_str()).collect();
        let report = gradcheck(&random.graph, "loss", &slots, &random.borrowed(), &random.state).unwrap();
        prop_assert!(report.largest_error() < 1e-6, "{}\n{}", report, random.graph);
    }
}

#[test]
fn random_graphs_reach_every_operation() {
    let mut met = std::collections::BTreeSet::new();
    for seed in 0..300 {
        met.extend(random_graph(seed).graph.nodes().iter().map(|n| super::cases::row(&n.op)));
    }
    let missing: Vec<&str> =
        super::cases::table().iter().map(|(row, _)| *row).filter(|row| !met.contains(row)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_same_expression_is_one_node() {
    let g = Graph::builder();
    let write = |g: &GraphBuilder| {
        let x = g.input("x", [2, 3]);
        g.softmax(g.matmul(x, g.full([3, 3], 0.5)), 1)
    };
    let (first, count) = (write(&g), g.node_count());
    assert_eq!((write(&g), g.node_count()), (first, count));
    // Random nodes are distinct by their streams.
    let shape = g.shape(first);
    assert_ne!(g.uniform(&shape, g.next_stream()), g.uniform(&shape, g.next_stream()));
}

#[test]
fn what_no_result_needs_is_dropped_but_stays_declared() {
    let g = Graph::builder();
    let (x, unused) = (g.input("x", [2]), g.input("unused", [3]));
    let _ = g.exp(g.exp(unused));
    g.output("y", g.neg(x));
    let graph = g.finish().unwrap();
    assert_eq!(graph.nodes().len(), 2);
    assert_eq!(graph.inputs().len(), 2);
}

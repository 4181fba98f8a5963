//! A step of a training, done again.

use super::common::Place;

#[test]
fn a_step_is_shown_as_it_was() {
    let place = Place::new();
    place.bratt("train --model mlp-24-bn-dropout --epochs 3 --seed 2 --name a --no-report").good();
    let said = place.bratt("step runs/a --at 30").good();
    assert!(said.contains("30 of 69: epoch 2, number 7 in it") && said.contains("dense1.weight"), "{said}");
    let said = place.bratt("step runs/a --at 30 --param dense1.weight").good();
    assert!(said.contains("gradient") && said.contains("update") && said.contains("[64, 24]"), "{said}");
    let one = place.bratt("step runs/a --at 30 --param dense1.weight --json").json();
    let next = place.bratt("step runs/a --at 31 --param dense1.weight --json --data digits").json();
    // Where one step ends the next begins.
    assert_eq!(one["parameter"]["after"], next["parameter"]["before"]);
    assert_eq!(one["parameter"]["gradient"].as_array().unwrap().len(), 64 * 24);
    assert_eq!(one["parameters"].as_array().unwrap().len(), 5);
    place.bratt("step runs/a --at 70").fails(2, &["steps from 1 to 69"]);
    place.bratt("step runs/a --param dense1.wight").fails(2, &["did you mean `dense1.weight`?"]);
    place.bratt("step runs/b").fails(3, &["no run"]);
}

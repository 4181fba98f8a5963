//! The program as its users meet it: run as a process, judged by exit code, output and files.

mod bad_input;
mod common;
mod configuration;
mod explaining;
mod fitting;
mod judging;
mod newcomer;
mod pictures;
mod report;
mod resuming;
mod running;
mod surface;
mod tuning;

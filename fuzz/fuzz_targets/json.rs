#![no_main]

use dropcast_domain::model::InputFormat;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dropcast_fuzz::check(InputFormat::Json, bytes));

#![no_main]

use dropcast_domain::model::InputFormat;
use dropcast_fuzz::{check, xlsx_of};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(InputFormat::Xlsx, &xlsx_of(bytes)));

#![no_main]

use dropcast_domain::model::InputFormat;
use dropcast_fuzz::{check, workbook_of};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(InputFormat::Xls, &workbook_of(bytes)));

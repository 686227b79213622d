use super::*;

#[test]
fn the_generated_files_are_what_the_types_say() {
    let differences: Vec<String> = differences(&root())
        .unwrap()
        .iter()
        .map(Difference::describe)
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

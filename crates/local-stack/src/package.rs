//! From the repository's template to one that CloudFormation can deploy: functions as zip files,
//! the state machine's definition, nested templates, and the addresses of all, as
//! `aws cloudformation package` would write them. Nothing else of the template changes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use uuid::Uuid;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::Error;

/// Name of the template inside the repository.
const TEMPLATE: &str = "template.yaml";
/// What a function's program is called inside its package.
const BOOTSTRAP: &str = "bootstrap";
/// The job runner's binary, which stands beside the functions'.
const JOB_RUNNER: &str = "dropcast-job";
/// What stands before a bucket's name in the URL of an object.
const S3_URL: &str = "https://s3.amazonaws.com/";
/// What builds the binaries.
const BUILD: &str = "make build";

/// A template that can be deployed, and what has to be in the artefact bucket for it.
#[derive(Debug)]
pub(crate) struct Packaged {
    /// The template's text.
    pub(crate) template: String,
    /// Keys in the bucket and the files behind them.
    pub(crate) artefacts: Vec<(String, PathBuf)>,
}

/// What a line of the template points to.
enum Reference<'a> {
    /// `CodeUri: functions/<name>/`.
    Function(&'a str),
    /// `DefinitionUri: <file>`.
    Definition(&'a str),
    /// `TemplateURL: <file>`. What it names is taken as it is: it points to nothing itself.
    Template(&'a str),
}

/// Packages the template for a bucket. Zip files are kept in `packages` and made again when their
/// binary has changed. Blocks while it compresses.
pub(crate) fn package(
    repository: &Path,
    binaries: &Path,
    packages: &Path,
    bucket: &str,
) -> Result<Packaged, Error> {
    let path = repository.join(TEMPLATE);
    let text = fs::read_to_string(&path).map_err(Error::at("reading", &path))?;
    let names = functions(&text);
    if names.is_empty() {
        return Err(Error::Template {
            template: path,
            problem: "it names no function as `CodeUri: functions/<name>/`".to_owned(),
        });
    }
    for name in names.iter().chain([&JOB_RUNNER]) {
        built(binaries, name)?;
    }
    fs::create_dir_all(packages).map_err(Error::at("creating", packages))?;
    let zips = std::thread::scope(|scope| {
        let works: Vec<_> = names
            .iter()
            .map(|name| scope.spawn(|| zipped(binaries, name, packages)))
            .collect();
        works
            .into_iter()
            .map(|work| {
                work.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect::<Result<Vec<_>, Error>>()
    })?;
    let mut artefacts = Vec::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let Some((before, reference)) = reference(line) else {
            lines.push(line.to_owned());
            continue;
        };
        // CloudFormation takes a template by its URL, and everything else by its place in S3.
        let (key, file, place) = match reference {
            Reference::Function(name) => {
                let zip = names.iter().zip(&zips).find(|(known, _)| **known == name);
                let zip = zip.map(|(_, zip)| zip.clone()).unwrap_or_default();
                (format!("functions/{}", file_name(&zip)), zip, "s3://")
            }
            Reference::Definition(file) => (file.to_owned(), repository.join(file), "s3://"),
            Reference::Template(file) => (file.to_owned(), repository.join(file), S3_URL),
        };
        lines.push(format!("{before} {place}{bucket}/{key}"));
        artefacts.push((key, file));
    }
    lines.push(String::new());
    Ok(Packaged {
        template: lines.join("\n"),
        artefacts,
    })
}

/// The names of a template's parameters.
pub(crate) fn parameters(template: &str) -> Vec<&str> {
    let section = template
        .lines()
        .skip_while(|line| *line != "Parameters:")
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    section
        .filter_map(|line| {
            let name = line.strip_prefix("  ")?.strip_suffix(':')?;
            (!name.starts_with([' ', '#'])).then_some(name)
        })
        .collect()
}

/// The binary of a program, once it is known to be there.
fn built(binaries: &Path, name: &str) -> Result<PathBuf, Error> {
    let path = binaries.join(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::Missing {
            what: format!("The program {name}"),
            path,
            remedy: BUILD,
        })
    }
}

/// The names of the template's functions.
fn functions(template: &str) -> Vec<&str> {
    let named = template
        .lines()
        .filter_map(|line| match reference(line)?.1 {
            Reference::Function(name) => Some(name),
            Reference::Definition(_) | Reference::Template(_) => None,
        });
    named.collect()
}

/// The part of a line up to its colon, and what it points to in the repository.
fn reference(line: &str) -> Option<(&str, Reference<'_>)> {
    let (key, value) = line.split_once(':')?;
    let value = value.trim();
    let reference = match key.trim_start() {
        "CodeUri" => Reference::Function(value.strip_prefix("functions/")?.trim_end_matches('/')),
        "DefinitionUri" => Reference::Definition(value),
        "TemplateURL" if is_file(value) => Reference::Template(value),
        _ => return None,
    };
    Some((&line[..=key.len()], reference))
}

/// Whether a value names a file of the repository, and is no address or expression.
fn is_file(value: &str) -> bool {
    !value.contains("://") && !value.starts_with(['!', '{', '$'])
}

/// A zip file of one function, made now or earlier from the very same binary.
fn zipped(binaries: &Path, name: &str, packages: &Path) -> Result<PathBuf, Error> {
    let binary = built(binaries, name)?;
    let reading = || Error::at("reading", &binary);
    let about = fs::metadata(&binary).map_err(reading())?;
    let changed = about.modified().map_err(reading())?;
    let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    let prefix = format!("{name}-");
    let zip = packages.join(format!(
        "{prefix}{}-{}.zip",
        about.len(),
        changed.as_nanos()
    ));
    if zip.is_file() {
        return Ok(zip);
    }
    let unfinished = packages.join(format!("{}.new", Uuid::new_v4().simple()));
    write_zip(&binary, &unfinished).map_err(Error::at("packaging", &binary))?;
    forget_older(packages, &prefix);
    fs::rename(&unfinished, &zip).map_err(Error::at("writing", &zip))?;
    Ok(zip)
}

fn write_zip(binary: &Path, zip: &Path) -> io::Result<()> {
    // The fastest level: the package travels a few centimetres, and the emulator unpacks it at once.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .unix_permissions(0o755);
    let mut writer = ZipWriter::new(File::create(zip)?);
    writer.start_file(BOOTSTRAP, options)?;
    io::copy(&mut File::open(binary)?, &mut writer)?;
    writer.finish()?;
    Ok(())
}

/// Removes the packages of earlier builds of a function. One that stays behind does no harm.
fn forget_older(packages: &Path, prefix: &str) {
    for entry in fs::read_dir(packages).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let rest = name.strip_prefix(prefix).unwrap_or_default();
        if name.ends_with(".zip") && rest.starts_with(|c: char| c.is_ascii_digit()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const TEXT: &str = "Resources:\n  A:\n    Properties:\n      CodeUri: functions/start-run/\n      DefinitionUri: state-machines/run.asl.json\n      Handler: bootstrap\n";

    #[test]
    fn a_nested_template_is_named_by_its_url_unless_it_has_one() {
        for (value, packaged) in [
            (
                "infra/a.yaml",
                Some("https://s3.amazonaws.com/b/infra/a.yaml"),
            ),
            ("https://s3.amazonaws.com/x/a.yaml", None),
            ("!Ref Address", None),
        ] {
            let repository = repository();
            let root = repository.path();
            let line = format!("      TemplateURL: {value}\n");
            fs::write(root.join(TEMPLATE), format!("{TEXT}{line}")).unwrap();
            for program in ["start-run", JOB_RUNNER] {
                fs::write(root.join(program), "program").unwrap();
            }
            let made = package(root, root, &root.join("packages"), "b").unwrap();
            let last = made.template.lines().last().unwrap();
            assert_eq!(
                last.trim(),
                format!("TemplateURL: {}", packaged.unwrap_or(value))
            );
            let uploaded = made.artefacts.iter().any(|(key, _)| key == "infra/a.yaml");
            assert_eq!(uploaded, packaged.is_some());
        }
    }

    #[test]
    fn the_parameters_of_a_template_are_known_by_name() {
        let text = "Metadata:\n  X:\n    Y: 1\nParameters:\n  # One.\n  A:\n    Type: String\n\n  B:\n    Type: String\nRules:\n  C:\n";
        assert_eq!(parameters(text), ["A", "B"]);
    }

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(TEMPLATE), TEXT).unwrap();
        folder
    }

    #[test]
    fn only_the_lines_that_point_into_the_repository_change() {
        let repository = repository();
        let root = repository.path();
        fs::write(root.join("start-run"), "program").unwrap();
        fs::write(root.join(JOB_RUNNER), "program").unwrap();
        let packaged = package(root, root, &root.join("packages"), "artefacts").unwrap();
        let (key, zip) = &packaged.artefacts[0];
        assert_eq!(packaged.template.lines().count(), TEXT.lines().count());
        assert!(
            packaged
                .template
                .contains(&format!("      CodeUri: s3://artefacts/{key}\n"))
        );
        assert!(
            packaged
                .template
                .contains("      DefinitionUri: s3://artefacts/state-machines/run.asl.json\n")
        );
        let mut archive = zip::ZipArchive::new(File::open(zip).unwrap()).unwrap();
        let mut program = archive.by_name(BOOTSTRAP).unwrap();
        assert_eq!(program.unix_mode().unwrap() & 0o777, 0o755);
        let mut content = String::new();
        program.read_to_string(&mut content).unwrap();
        assert_eq!(content, "program");
    }

    #[test]
    fn a_package_is_made_again_only_when_its_binary_has_changed() {
        let repository = repository();
        let root = repository.path();
        let binary = root.join("start-run");
        fs::write(&binary, "one").unwrap();
        let first = zipped(root, "start-run", root).unwrap();
        let made = fs::metadata(&first).unwrap().modified().unwrap();
        assert_eq!(zipped(root, "start-run", root).unwrap(), first);
        assert_eq!(fs::metadata(&first).unwrap().modified().unwrap(), made);
        fs::write(&binary, "other").unwrap();
        assert_ne!(zipped(root, "start-run", root).unwrap(), first);
        assert!(!first.exists());
    }

    #[test]
    fn a_binary_that_is_not_built_is_named_with_the_command_that_builds_it() {
        let repository = repository();
        let error = package(
            repository.path(),
            repository.path(),
            repository.path(),
            "artefacts",
        )
        .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("start-run") && text.contains("`make build`"),
            "{text}"
        );
    }
}

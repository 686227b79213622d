//! From the repository's templates to ones that CloudFormation can deploy: functions as zip files,
//! the state machine's definition, nested templates, and the addresses of all, as
//! `aws cloudformation package` would write them. Nothing else of a template changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    path::{Component, Path, PathBuf},
    time::UNIX_EPOCH,
};

use uuid::Uuid;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    Error,
    template::{Kind, Template},
};

/// The root template, inside the repository and as a key in the bucket.
pub(crate) const TEMPLATE: &str = "template.yaml";
/// Folder of the functions' crates inside the repository, each named as its program is.
const FUNCTIONS: &str = "functions";
/// What a function's program is called inside its package.
const BOOTSTRAP: &str = "bootstrap";
/// The job runner's binary, which is in the same folder as the functions'.
const JOB_RUNNER: &str = "dropcast-job";
/// The beginning of an object's URL, before the bucket's name.
const S3_URL: &str = "https://s3.amazonaws.com/";
/// What builds the binaries.
const BUILD: &str = "make build";

/// Templates that can be deployed, and what has to be in the artifact bucket for them.
#[derive(Debug)]
pub(crate) struct Packaged {
    /// The names of the root template's parameters.
    pub(crate) parameters: Vec<String>,
    /// What the bucket has to hold, by key. The root template is at [`TEMPLATE`].
    pub(crate) artifacts: BTreeMap<String, Artifact>,
}

/// One object of the artifact bucket.
#[derive(Debug)]
pub(crate) enum Artifact {
    /// The content of a file.
    File(PathBuf),
    /// A template, with addresses in the place of paths.
    Template(String),
}

/// Packages the root template and all that it nests for a bucket. Zip files are kept in `packages` and
/// made again when their binary has changed. Blocks while it compresses.
pub(crate) fn package(
    repository: &Path,
    binaries: &Path,
    packages: &Path,
    bucket: &str,
) -> Result<Packaged, Error> {
    let templates = read_templates(repository)?;
    let functions: BTreeSet<&str> = templates
        .values()
        .flat_map(|(_, targets)| targets)
        .filter_map(|target| match target {
            Target::Function(name) => Some(name.as_str()),
            Target::File(..) => None,
        })
        .collect();
    if functions.is_empty() {
        return Err(Error::Template {
            template: repository.join(TEMPLATE),
            problem: "neither it nor a template that it nests has a function with a `CodeUri`"
                .to_owned(),
        });
    }
    for name in functions.iter().chain([&JOB_RUNNER]) {
        built(binaries, name)?;
    }
    fs::create_dir_all(packages).map_err(Error::at("creating", packages))?;
    let zips: BTreeMap<&str, PathBuf> = std::thread::scope(|scope| {
        let works: Vec<_> = functions
            .iter()
            .map(|name| scope.spawn(|| Ok((*name, zipped(binaries, name, packages)?))))
            .collect();
        works
            .into_iter()
            .map(|work| {
                work.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect::<Result<_, Error>>()
    })?;
    let mut artifacts = BTreeMap::new();
    for (key, (template, targets)) in &templates {
        let mut addresses = Vec::new();
        for target in targets {
            let (place, key) = match target {
                Target::Function(name) => {
                    let zip = &zips[name.as_str()];
                    let key = format!("{FUNCTIONS}/{}", file_name(zip));
                    artifacts.insert(key.clone(), Artifact::File(zip.clone()));
                    ("s3://", key)
                }
                Target::File(Kind::Template, key) => (S3_URL, key.clone()),
                Target::File(_, key) => {
                    artifacts.insert(key.clone(), Artifact::File(repository.join(key)));
                    ("s3://", key.clone())
                }
            };
            addresses.push(format!("{place}{bucket}/{key}"));
        }
        let text = template.with_addresses(addresses.iter().map(String::as_str));
        artifacts.insert(key.clone(), Artifact::Template(text));
    }
    Ok(Packaged {
        parameters: templates[TEMPLATE].0.parameters().to_vec(),
        artifacts,
    })
}

/// What a template's pointer leads to.
#[derive(Debug)]
enum Target {
    /// The function of this name.
    Function(String),
    /// The file at this path inside the repository, with slashes: a nested template or a definition.
    File(Kind, String),
}

/// The root template and all that it nests, at any depth, with what each points to; by path inside the
/// repository.
fn read_templates(repository: &Path) -> Result<BTreeMap<String, (Template, Vec<Target>)>, Error> {
    let mut templates = BTreeMap::new();
    let mut unread = vec![TEMPLATE.to_owned()];
    while let Some(key) = unread.pop() {
        if templates.contains_key(&key) {
            continue;
        }
        let path = repository.join(&key);
        let text = fs::read_to_string(&path).map_err(Error::at("reading", &path))?;
        let faulty = |problem| Error::Template {
            template: path.clone(),
            problem,
        };
        let template = Template::parse(text).map_err(faulty)?;
        let mut targets = Vec::new();
        for pointer in template.pointers() {
            let target = target(&key, pointer.kind, &pointer.path).map_err(faulty)?;
            if let Target::File(Kind::Template, nested) = &target {
                unread.push(nested.clone());
            }
            targets.push(target);
        }
        templates.insert(key, (template, targets));
    }
    Ok(templates)
}

/// What a path in a template means, seen from the template's own folder.
fn target(template: &str, kind: Kind, path: &str) -> Result<Target, String> {
    let mut parts: Vec<String> = Vec::new();
    let folder = Path::new(template).parent().unwrap_or(Path::new(""));
    for component in folder.join(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir => {}
            Component::ParentDir if parts.pop().is_some() => {}
            _ => return Err(format!("`{path}` is outside the repository")),
        }
    }
    match (kind, parts.as_slice()) {
        (Kind::Function, [folder, name]) if folder == FUNCTIONS => {
            Ok(Target::Function(name.clone()))
        }
        (Kind::Function, _) => Err(format!("`{path}` is not a folder of {FUNCTIONS}/")),
        (kind, parts) => Ok(Target::File(kind, parts.join("/"))),
    }
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

    const ROOT: &str = "Resources:\n  A:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: infra/a.yaml\n";
    const NESTED: &str = "Resources:\n  R:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: ../functions/start-run/\n      Handler: bootstrap\n  M:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n      DefinitionUri: ../state-machines/run.asl.json\n";

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(TEMPLATE), ROOT).unwrap();
        fs::create_dir(folder.path().join("infra")).unwrap();
        fs::write(folder.path().join("infra/a.yaml"), NESTED).unwrap();
        folder
    }

    fn packaged(root: &Path) -> Result<Packaged, Error> {
        package(root, root, &root.join("packages"), "artifacts")
    }

    fn text<'a>(packaged: &'a Packaged, key: &str) -> &'a str {
        match &packaged.artifacts[key] {
            Artifact::Template(text) => text,
            Artifact::File(file) => panic!("{} is no template", file.display()),
        }
    }

    #[test]
    fn only_what_points_into_the_repository_changes_at_any_depth() {
        let repository = repository();
        let root = repository.path();
        for program in ["start-run", JOB_RUNNER] {
            fs::write(root.join(program), "program").unwrap();
        }
        let packaged = packaged(root).unwrap();
        assert_eq!(
            text(&packaged, TEMPLATE),
            ROOT.replace(
                "infra/a.yaml",
                "https://s3.amazonaws.com/artifacts/infra/a.yaml"
            )
        );
        let keys = packaged.artifacts.keys();
        let key = keys.clone().find(|key| key.starts_with("functions/"));
        let key = key.unwrap();
        assert_eq!(
            text(&packaged, "infra/a.yaml"),
            NESTED
                .replace("../functions/start-run/", &format!("s3://artifacts/{key}"))
                .replace("../state-machines", "s3://artifacts/state-machines")
        );
        assert_eq!(keys.len(), 4);
        assert!(matches!(
            &packaged.artifacts["state-machines/run.asl.json"],
            Artifact::File(file) if *file == root.join("state-machines/run.asl.json")
        ));
        let Artifact::File(zip) = &packaged.artifacts[key] else {
            panic!("{key} is no file")
        };
        let mut archive = zip::ZipArchive::new(File::open(zip).unwrap()).unwrap();
        let mut program = archive.by_name(BOOTSTRAP).unwrap();
        assert_eq!(program.unix_mode().unwrap() & 0o777, 0o755);
        let mut content = String::new();
        program.read_to_string(&mut content).unwrap();
        assert_eq!(content, "program");
    }

    #[test]
    fn a_path_means_what_it_means_in_its_templates_folder() {
        let means = |template, kind, path| match target(template, kind, path) {
            Ok(Target::Function(name)) => format!("function {name}"),
            Ok(Target::File(_, path)) => path,
            Err(problem) => problem,
        };
        for (template, kind, path, expected) in [
            ("a.yaml", Kind::Template, "infra/b.yaml", "infra/b.yaml"),
            ("infra/a.yaml", Kind::Template, "./b.yaml", "infra/b.yaml"),
            ("infra/s/a.yaml", Kind::Definition, "../../m.json", "m.json"),
            (
                "infra/a.yaml",
                Kind::Function,
                "../functions/x/",
                "function x",
            ),
            (
                "infra/a.yaml",
                Kind::Function,
                "functions/x/",
                "`functions/x/` is not a folder of functions/",
            ),
            (
                "infra/a.yaml",
                Kind::Template,
                "../../b.yaml",
                "`../../b.yaml` is outside the repository",
            ),
            (
                "a.yaml",
                Kind::Template,
                "/etc/b.yaml",
                "`/etc/b.yaml` is outside the repository",
            ),
        ] {
            assert_eq!(means(template, kind, path), expected);
        }
    }

    #[test]
    fn a_nested_template_that_is_not_there_is_named() {
        let repository = repository();
        fs::remove_file(repository.path().join("infra/a.yaml")).unwrap();
        let error = packaged(repository.path()).unwrap_err();
        assert!(error.to_string().contains("infra/a.yaml"), "{error}");
    }

    #[test]
    fn templates_without_a_function_are_refused() {
        let repository = repository();
        fs::write(repository.path().join("infra/a.yaml"), "Resources: {}\n").unwrap();
        let error = packaged(repository.path()).unwrap_err();
        assert!(error.to_string().contains("`CodeUri`"), "{error}");
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
        let error = packaged(repository.path()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("start-run") && text.contains("`make build`"),
            "{text}"
        );
    }
}

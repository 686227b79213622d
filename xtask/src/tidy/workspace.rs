//! What the rules are held against.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand};
use ignore::WalkBuilder;

/// The crates and the files of the repository.
#[derive(Default)]
pub(super) struct Workspace {
    /// Its members, by name.
    pub(super) packages: BTreeMap<String, Package>,
    /// Every file that Git would keep and that is UTF-8, by its path from the root.
    pub(super) files: BTreeMap<PathBuf, String>,
    /// Every other file that Git would keep.
    pub(super) binary_files: BTreeSet<PathBuf>,
}

/// A member of the workspace.
#[derive(Default)]
pub(super) struct Package {
    /// From the root.
    pub(super) folder: PathBuf,
    /// What its manifest says under `[package.metadata.dropcast]`.
    pub(super) layer: Option<String>,
    /// The names of what it is built with.
    pub(super) dependencies: BTreeSet<String>,
    /// The names of what only its tests need.
    pub(super) dev_dependencies: BTreeSet<String>,
    /// The main file of each program, from the root.
    pub(super) mains: BTreeSet<PathBuf>,
}

impl Package {
    pub(super) fn manifest(&self) -> PathBuf {
        self.folder.join("Cargo.toml")
    }

    /// Whether it is one of the Lambda functions.
    pub(super) fn is_function(&self) -> bool {
        self.folder.starts_with("functions")
    }
}

impl Workspace {
    /// The workspace that this program was built from.
    pub(super) fn load() -> anyhow::Result<Self> {
        let metadata = MetadataCommand::new()
            .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .no_deps()
            .other_options(["--locked".to_owned(), "--offline".to_owned()])
            .exec()
            .context("cannot ask Cargo for the workspace's crates")?;
        let root = metadata.workspace_root.as_std_path();
        let mut workspace = Self::default();
        for package in &metadata.packages {
            let from_root = |path: &Path| path.strip_prefix(root).map(Path::to_owned);
            let of_kind = |dev: bool| {
                package
                    .dependencies
                    .iter()
                    .filter(|dependency| (dependency.kind == DependencyKind::Development) == dev)
                    .map(|dependency| dependency.name.clone())
                    .collect()
            };
            let manifest = from_root(package.manifest_path.as_std_path())?;
            let mains = package.targets.iter().filter(|target| target.is_bin());
            let read = Package {
                folder: manifest.parent().unwrap_or(Path::new("")).to_owned(),
                layer: package.metadata["dropcast"]["layer"]
                    .as_str()
                    .map(ToOwned::to_owned),
                dependencies: of_kind(false),
                dev_dependencies: of_kind(true),
                mains: mains
                    .map(|target| from_root(target.src_path.as_std_path()))
                    .collect::<Result<_, _>>()?,
            };
            workspace.packages.insert(package.name.to_string(), read);
        }
        workspace.read_files(root)?;
        Ok(workspace)
    }

    fn read_files(&mut self, root: &Path) -> anyhow::Result<()> {
        let walk = WalkBuilder::new(root)
            .hidden(false)
            .require_git(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in walk {
            let entry = entry?;
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let name = entry.path().strip_prefix(root)?.to_owned();
            let bytes = fs::read(entry.path()).with_context(|| name.display().to_string())?;
            match String::from_utf8(bytes) {
                Ok(text) => _ = self.files.insert(name, text),
                Err(_) => _ = self.binary_files.insert(name),
            }
        }
        Ok(())
    }

    /// The Lambda functions' names.
    pub(super) fn functions(&self) -> BTreeSet<&str> {
        let functions = self
            .packages
            .iter()
            .filter(|(_, package)| package.is_function());
        functions.map(|(name, _)| name.as_str()).collect()
    }

    /// The Rust sources below a folder.
    pub(super) fn rust_files(
        &self,
        folder: impl AsRef<Path>,
    ) -> impl Iterator<Item = (&PathBuf, &String)> {
        self.files.iter().filter(move |(path, _)| {
            path.starts_with(&folder) && path.extension().is_some_and(|end| end == "rs")
        })
    }

    /// The line of a crate's manifest that names a dependency.
    pub(super) fn line_of_dependency(&self, package: &Package, dependency: &str) -> Option<usize> {
        let manifest = self.files.get(&package.manifest())?;
        let names = |line: &str| {
            line.strip_prefix(dependency)
                .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
        };
        let at = manifest.lines().position(names)?;
        Some(at + 1)
    }
}

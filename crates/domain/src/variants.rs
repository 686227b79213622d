//! Enums whose variants have names: statuses, codes, formats.

/// Every variant as an array, which `map` keeps the length of; for constants.
#[expect(
    clippy::panic,
    reason = "It stops the build: it is called for constants only."
)]
pub(crate) const fn every<T: Copy, const N: usize>(variants: &[T]) -> [T; N] {
    match variants.first_chunk() {
        Some(all) => *all,
        None => panic!("an enum has as many variants as are counted"),
    }
}

/// An enum without fields in which each variant has a name, the same in manifests, records, events
/// and `--json`. With an error type at its end, a name can be parsed; any other text is that error.
macro_rules! named_enum {
    (
        $(#[$meta:meta])*
        pub enum $enum:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $name:literal,)+
        }
    ) => {
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
            strum::EnumCount, strum::IntoStaticStr, strum::VariantArray,
        )]
        $(#[$meta])*
        pub enum $enum {
            $(
                $(#[$variant_meta])*
                #[serde(rename = $name)]
                #[strum(serialize = $name)]
                $variant,
            )+
        }

        impl $enum {
            /// Every variant, in the order in which they are declared.
            pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
                $crate::variants::every(<Self as strum::VariantArray>::VARIANTS);

            /// The name in manifests, records, events and `--json`.
            pub fn as_str(self) -> &'static str {
                self.into()
            }

            /// The variant of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|variant| variant.as_str() == name)
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
    (
        $(#[$meta:meta])*
        pub enum $enum:ident {
            $($variants:tt)+
        }
        $(#[$error_meta:meta])*
        pub struct $error:ident;
    ) => {
        $crate::variants::named_enum! {
            $(#[$meta])*
            pub enum $enum {
                $($variants)+
            }
        }

        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        $(#[$error_meta])*
        pub struct $error(String);

        impl std::str::FromStr for $enum {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::from_name(text).ok_or_else(|| $error(text.to_owned()))
            }
        }
    };
}

pub(crate) use named_enum;

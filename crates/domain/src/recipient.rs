//! Who is mailed about a run.

/// The most recipients that an upload, or a model, may name.
pub const MAX_RECIPIENTS: usize = 20;

/// The maximum number of further addresses that are kept, to report that they are not mailed.
///
/// No upload has more: S3 keeps 2 kB of metadata with an object, and no
/// address with its separator is shorter than six bytes. See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>.
pub(crate) const MAX_LEFT_OUT: usize = 400;

/// The longest address that SMTP carries, in bytes (RFC 5321, 4.5.3.1.3).
pub(crate) const ADDRESS_BYTES: usize = 254;

/// The maximum number of invalid entries that are kept, to be reported.
pub(crate) const MAX_UNUSABLE: usize = 10;

/// The parsed value of an upload's `x-amz-meta-notify`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecipientList {
    /// Usable addresses, each once, in the order given.
    pub addresses: Vec<String>,
    /// Entries that are not addresses, shortened, at most ten.
    pub unusable: Vec<String>,
    /// Usable addresses beyond the first [`MAX_RECIPIENTS`], each once; they are not mailed.
    pub left_out: Vec<String>,
}

/// Parses a list of addresses that are separated by commas, semicolons or spaces.
pub fn parse_list(text: &str) -> RecipientList {
    let mut recipients = RecipientList::default();
    for entry in text
        .split([',', ';', ' ', '\t', '\r', '\n'])
        .filter(|entry| !entry.is_empty())
    {
        if is_address(entry) {
            let address = normal(entry);
            if recipients.addresses.contains(&address) {
                continue;
            }
            if recipients.addresses.len() < MAX_RECIPIENTS {
                recipients.addresses.push(address);
            } else if recipients.left_out.len() < MAX_LEFT_OUT
                && !recipients.left_out.contains(&address)
            {
                recipients.left_out.push(address);
            }
        } else if recipients.unusable.len() < MAX_UNUSABLE {
            recipients
                .unusable
                .push(crate::title::clean(entry).chars().take(60).collect());
        }
    }
    recipients
}

/// Whether a text is a plain mail address: `local@domain`, ASCII, with a dot in the domain.
///
/// Narrower than RFC 5322 on purpose: no quoted local parts, comments or
/// address literals, which no business address uses and header injection does.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let local_good = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&b));
    let domain_good = domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    text.len() <= ADDRESS_BYTES && local_good && domain_good
}

/// The address with its domain in lower case; the part before the `@` is the receiver's own.
fn normal(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_ascii_lowercase()),
        None => address.to_owned(),
    }
}

/// Who is mailed, and who is not and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Addresses to mail, each once.
    pub mailed: Vec<String>,
    /// Requested addresses outside the allowed domains.
    pub refused: Vec<String>,
}

/// Chooses the recipients: the addresses in the upload's metadata, then the model's own list,
/// as far as the deployment allows their domains; the operator when nobody is left.
///
/// An entry of `allowed_domains` allows itself and its subdomains. Without any
/// entry, only the operator is mailed: an empty list must not allow everybody.
pub fn choose(
    requested: &[String],
    models_own: &[String],
    allowed_domains: &[String],
    operator: &str,
) -> Recipients {
    let mut recipients = Recipients::default();
    for address in requested
        .iter()
        .chain(models_own)
        .map(|address| normal(address))
    {
        let list = if is_allowed(&address, allowed_domains) {
            &mut recipients.mailed
        } else {
            &mut recipients.refused
        };
        if !list.contains(&address) {
            list.push(address);
        }
    }
    if recipients.mailed.is_empty() {
        recipients.mailed.push(operator.to_owned());
    }
    recipients
}

fn is_allowed(address: &str, allowed_domains: &[String]) -> bool {
    let domain = address.rsplit('@').next().unwrap_or_default();
    allowed_domains.iter().any(|allowed| {
        let allowed = allowed.trim().trim_start_matches('@').to_ascii_lowercase();
        !allowed.is_empty() && (domain == allowed || domain.ends_with(&format!(".{allowed}")))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(addresses: &[&str]) -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn junk_in_a_list_is_set_aside_and_the_rest_is_kept() {
        let recipients = parse_list(
            "ana@Corp.example, nonsense; bo@corp.example ana@corp.example,@,x@y,\"a b\"@c.example",
        );
        assert_eq!(
            recipients.addresses,
            list(&["ana@corp.example", "bo@corp.example"])
        );
        assert_eq!(
            recipients.unusable,
            list(&["nonsense", "@", "x@y", "\"a", "b\"@c.example"])
        );
    }

    #[test]
    fn valid_addresses_beyond_the_limit_are_left_out_and_reported() {
        let people: Vec<String> = (0..23).map(|n| format!("p{n}@corp.example")).collect();
        let text = format!("{},p0@corp.example,p22@Corp.example,junk", people.join(" "));
        let recipients = parse_list(&text);
        assert_eq!(recipients.addresses, people[..MAX_RECIPIENTS]);
        assert_eq!(recipients.left_out, people[MAX_RECIPIENTS..]);
        assert_eq!(recipients.unusable, list(&["junk"]));
    }

    #[test]
    fn an_address_outside_the_allowed_domains_is_not_mailed() {
        let chosen = choose(
            &list(&[
                "ana@corp.example",
                "eve@evilcorp.example",
                "bo@eu.corp.example",
            ]),
            &[],
            &list(&["corp.example"]),
            "ops@corp.example",
        );
        assert_eq!(
            chosen.mailed,
            list(&["ana@corp.example", "bo@eu.corp.example"])
        );
        assert_eq!(chosen.refused, list(&["eve@evilcorp.example"]));
    }

    #[test]
    fn the_operator_is_mailed_when_nobody_else_can_be() {
        let chosen = choose(
            &list(&["eve@evil.example"]),
            &[],
            &list(&["corp.example"]),
            "ops@corp.example",
        );
        assert_eq!(chosen.mailed, list(&["ops@corp.example"]));
    }

    #[test]
    fn without_allowed_domains_only_the_operator_is_mailed() {
        let asked = list(&["ana@corp.example"]);
        for none in [&[][..], &["", " ", "@"]] {
            let chosen = choose(&asked, &asked, &list(none), "ops@corp.example");
            assert_eq!(chosen.mailed, list(&["ops@corp.example"]));
            assert_eq!(chosen.refused, asked);
        }
    }

    proptest! {
        #[test]
        fn no_address_carries_a_line_break_or_a_separator(text in any::<String>()) {
            let recipients = parse_list(&text);
            for address in recipients.addresses.iter().chain(&recipients.left_out) {
                prop_assert!(address.bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(!address.contains([',', ';', '<', '>', '"', '\\', '(', ')']));
            }
        }
    }
}

//! The mail as the message that SES is given.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::{
    Address, Message,
    address::AddressError,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{ContentDisposition, ContentId, ContentType, HeaderName, HeaderValue},
    },
};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    CHART_BYTES, MailContent,
    render::{self, Rendered},
};

/// The name beside the sender's address, unless the configuration gives one.
const SENDER_NAME: &str = "Dropcast";

/// Why a message cannot be built. None of them names an address, for errors are logged.
#[derive(Debug, Error)]
pub enum MessageError {
    /// The configured sender is no mail address.
    #[error("the sender is not a mail address")]
    Sender(#[source] AddressError),
    /// The recipient is no mail address.
    #[error("the recipient is not a mail address")]
    Recipient(#[source] AddressError),
    /// The parts do not make a message.
    #[error("the message could not be built")]
    Message(#[from] lettre::error::Error),
}

/// A mail to one recipient.
#[derive(Debug, Clone, Copy)]
pub struct Email<'a> {
    /// The sender: `forecasts@corp.example` or `Forecasts <forecasts@corp.example>`.
    pub sender: &'a str,
    /// The one recipient's address.
    pub recipient: &'a str,
    /// What it says.
    pub content: &'a MailContent,
    /// How it says it.
    pub rendered: &'a Rendered,
    /// The chart to show inline.
    pub chart: Option<Chart<'a>>,
    /// A file to go with it.
    pub attachment: Option<Attachment<'a>>,
    /// The message's date.
    pub date: Timestamp,
}

/// The content of the output that [`MailContent::chart`] names.
#[derive(Debug, Clone, Copy)]
pub struct Chart<'a> {
    /// Its media type: PNG, JPEG or GIF.
    pub media_type: &'a str,
    /// The file.
    pub bytes: &'a [u8],
}

/// A file that goes with a mail.
#[derive(Debug, Clone, Copy)]
pub struct Attachment<'a> {
    /// Its name, in ASCII.
    pub file_name: &'a str,
    /// Its media type.
    pub media_type: &'a str,
    /// The file.
    pub bytes: &'a [u8],
}

/// Builds the message, ready for `SendRawEmail`.
///
/// The chart is shown inline when it is below [`CHART_BYTES`] and what its
/// media type says; otherwise it is left out and its link stays. The same
/// email gives the same bytes.
pub fn message(email: &Email) -> Result<Vec<u8>, MessageError> {
    let mut from: Mailbox = email.sender.parse().map_err(MessageError::Sender)?;
    let to: Address = email.recipient.parse().map_err(MessageError::Recipient)?;
    let message = Message::builder()
        .message_id(Some(message_id(email, from.email.domain())))
        .from({
            from.name.get_or_insert_with(|| SENDER_NAME.to_owned());
            from
        })
        .to(Mailbox::new(None, to))
        .subject(subject(email.content))
        .date(SystemTime::from(email.date))
        // RFC 3834: no vacation notice answers a mail that a machine wrote; Exchange has a header of its own.
        .raw_header(fixed("Auto-Submitted", "auto-generated"))
        .raw_header(fixed("X-Auto-Response-Suppress", "All"))
        .multipart(body(email))?;
    Ok(message.formatted())
}

fn body(email: &Email) -> MultiPart {
    let body = words(email);
    let Some(file) = email.attachment else {
        return body;
    };
    let content_type = ContentType::parse(file.media_type);
    let boundary = boundary(&[email.rendered.text.as_bytes(), file.bytes]);
    MultiPart::mixed()
        .boundary(format!("m{boundary}"))
        .multipart(body)
        .singlepart(
            SinglePart::builder()
                .header(content_type.unwrap_or(ContentType::TEXT_PLAIN))
                .header(ContentDisposition::attachment(file.file_name))
                .body(file.bytes.to_vec()),
        )
}

/// What the mail says, in both its forms.
fn words(email: &Email) -> MultiPart {
    let Rendered {
        text,
        html,
        html_with_chart,
    } = email.rendered;
    let boundary = boundary(&[text.as_bytes(), html.as_bytes()]);
    let body = MultiPart::alternative()
        .boundary(format!("a{boundary}"))
        .singlepart(SinglePart::plain(text.replace('\n', "\r\n")));
    match html_with_chart
        .as_ref()
        .zip(email.chart.and_then(Image::of))
    {
        Some((html, image)) => body.multipart(
            MultiPart::related()
                .boundary(format!("r{boundary}"))
                .singlepart(SinglePart::html(html.clone()))
                .singlepart(image.into_part()),
        ),
        None => body.singlepart(SinglePart::html(html.clone())),
    }
}

/// The subject, without what passes for an encoded word (RFC 2047): a title in
/// plain ASCII is sent as it is, and the receiver would decode it.
fn subject(content: &MailContent) -> String {
    content.subject.replace("=?", "= ?")
}

/// The same for every attempt to send one mail, so that a mailbox can tell a duplicate.
fn message_id(email: &Email, domain: &str) -> String {
    let recipient = hex::encode(&Sha256::digest(email.recipient.as_bytes())[..8]);
    let topic = &email.content.topic;
    let (id, name) = (topic.id(), topic.mail_name(email.content.kind));
    format!("<{id}.{name}.{recipient}@{domain}>")
}

/// A boundary that follows from what it bounds, so that no part can contain it.
fn boundary(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..16])
}

fn fixed(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// An image that every common mail program shows.
struct Image<'a> {
    content_type: &'static str,
    file_name: &'static str,
    bytes: &'a [u8],
}

impl<'a> Image<'a> {
    /// Recognizes an image by its first bytes, for a file that is not what it is called shows as a broken image.
    fn of(chart: Chart<'a>) -> Option<Self> {
        let bytes = chart.bytes;
        let (content_type, file_name) = match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => ("image/png", "chart.png"),
            [0xff, 0xd8, 0xff, ..] => ("image/jpeg", "chart.jpg"),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => ("image/gif", "chart.gif"),
            _ => return None,
        };
        let fits = content_type == chart.media_type && (bytes.len() as u64) < CHART_BYTES;
        fits.then_some(Self {
            content_type,
            file_name,
            bytes,
        })
    }

    fn into_part(self) -> SinglePart {
        // The type is one of the three above, all of which parse.
        let content_type = ContentType::parse(self.content_type).unwrap_or(ContentType::TEXT_PLAIN);
        SinglePart::builder()
            .header(content_type)
            .header(ContentId::from(format!("<{}>", render::CHART_ID)))
            .header(ContentDisposition::inline_with_name(self.file_name))
            .body(self.bytes.to_vec())
    }
}

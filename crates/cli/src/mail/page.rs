//! A mail's HTML as a self-contained page.

use std::fs;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mail_parser::{MessageParser, MimeHeaders as _};

use super::MailView;

/// Renders the HTML with its inline images as data URLs, because browsers do not support `cid:` URLs.
pub(super) fn render(mail: &MailView) -> anyhow::Result<String> {
    let Some(file) = &mail.file else {
        return Ok(mail.html.clone());
    };
    let raw = fs::read(file).with_context(|| format!("cannot read {file}"))?;
    Ok(inline_images(&mail.html, &raw))
}

fn inline_images(html: &str, raw: &[u8]) -> String {
    let mut page = html.to_owned();
    let Some(message) = MessageParser::default().parse(raw) else {
        return page;
    };
    for part in &message.parts {
        if let (Some(id), Some(kind)) = (part.content_id(), part.content_type()) {
            let kind = format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default());
            let content = STANDARD.encode(part.contents());
            page = page.replace(
                &format!("cid:{id}"),
                &format!("data:{kind};base64,{content}"),
            );
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inline_image_becomes_a_data_url() {
        let raw = "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n\
            --b\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:chart@x\">\r\n\
            --b\r\nContent-Type: image/png\r\nContent-ID: <chart@x>\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nUE5H\r\n--b--\r\n";
        let page = inline_images("<img src=\"cid:chart@x\">", raw.as_bytes());
        assert_eq!(page, "<img src=\"data:image/png;base64,UE5H\">");
    }
}

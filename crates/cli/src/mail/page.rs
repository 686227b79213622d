//! A mail's HTML as a page that stands alone.

use std::fs;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mail_parser::{MessageParser, MimeHeaders as _};

use super::MailView;

/// The HTML with its inline pictures written into it: a browser knows no `cid:` addresses.
pub(super) fn of(mail: &MailView) -> anyhow::Result<String> {
    let Some(file) = &mail.file else {
        return Ok(mail.html.clone());
    };
    let raw = fs::read(file).with_context(|| format!("cannot read {file}"))?;
    Ok(with_pictures(&mail.html, &raw))
}

fn with_pictures(html: &str, raw: &[u8]) -> String {
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
    fn an_inline_picture_is_written_into_the_page() {
        let raw = "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n\
            --b\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:chart@x\">\r\n\
            --b\r\nContent-Type: image/png\r\nContent-ID: <chart@x>\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nUE5H\r\n--b--\r\n";
        let page = with_pictures("<img src=\"cid:chart@x\">", raw.as_bytes());
        assert_eq!(page, "<img src=\"data:image/png;base64,UE5H\">");
    }
}

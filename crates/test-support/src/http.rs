//! An HTTP server that gives prepared responses, for what the emulator never answers.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A response, or none.
#[derive(Debug, Clone)]
pub struct Response(Option<String>);

impl Response {
    /// A response of this status line, such as `403 Forbidden`, and this XML document.
    pub fn xml(status: &str, body: &str) -> Self {
        Self::with_headers(status, &[("Content-Type", "text/xml")], body)
    }

    /// A response with these headers; those of length and connection are added.
    pub fn with_headers(status: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let length = body.len().to_string();
        let last = [("Content-Length", length.as_str()), ("Connection", "close")];
        let mut response = format!("HTTP/1.1 {status}\r\n");
        for (name, value) in headers.iter().chain(&last) {
            response.extend([name, ": ", value, "\r\n"]);
        }
        Self(Some(response + "\r\n" + body))
    }

    /// Reads the request and closes the connection.
    pub fn hang_up() -> Self {
        Self(None)
    }
}

/// A server on a free port of this machine. It ends with the test process, or after its last
/// response.
#[derive(Debug)]
pub struct Server {
    endpoint: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Serves one response for each request, in this order; one request for each connection.
    pub fn start<R>(responses: R) -> Self
    where
        R: IntoIterator<Item = Response, IntoIter: Send + 'static>,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (counter, responses) = (Arc::clone(&requests), responses.into_iter());
        thread::spawn(move || {
            for response in responses {
                let mut stream = next_request(&listener);
                counter.fetch_add(1, Ordering::SeqCst);
                if let Some(response) = response.0 {
                    stream.write_all(response.as_bytes()).unwrap();
                }
            }
        });
        Self { endpoint, requests }
    }

    /// Its URL, without a path.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// How many requests it has read.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// The connection of the next request, after that was read. Connections without one, which a
/// client may open in advance, are passed over.
fn next_request(listener: &TcpListener) -> TcpStream {
    loop {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut line, mut length) = (String::new(), 0);
        if reader.read_line(&mut line).unwrap() == 0 {
            continue;
        }
        while !line.trim().is_empty() {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        return stream;
    }
}

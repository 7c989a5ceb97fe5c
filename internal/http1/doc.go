// Package http1 is the wire format of HTTP/1.1 and HTTP/1.0, as RFC 9112 has it:
// bytes in, values out, and back.
//
// It does no input or output, starts no goroutine and reads no clock: whoever
// owns a connection hands over what has arrived and sends what comes back.
// [HeadScanner] finds the end of a request head in bytes that arrive piece by
// piece, [ParseRequest] turns a head into a [RequestHead], [ChunkedDecoder]
// takes the chunked coding off a body. In the other direction [FrameResponse]
// decides how a response is delimited and the Append functions write it.
//
// Everything that framing depends on is decided here, once, and strictly: what
// two parties could read differently is refused with an [*Error], never
// repaired (RFC 9112, section 11.2). There is one repair, the empty line before
// a request line (section 2.2). Whoever uses the package takes its verdicts and
// does not look at Content-Length, Transfer-Encoding or Connection again.
//
// It is not a client: it parses no responses. It knows nothing of net/http,
// though its header maps, with canonical keys, convert to http.Header for free.
package http1

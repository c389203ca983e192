package server

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The media types of answers. The first is for clients that ask for it, and the second for all others.
const (
	graphqlType = "application/graphql-response+json"
	jsonType    = "application/json"
)

// formType is that of a body with files.
const formType = "multipart/form-data"

// allowedMethods are those of /graphql.
const allowedMethods = "GET, POST, OPTIONS"

// requests carries queries and mutations over plain HTTP, as the specification "GraphQL over HTTP" says. It is the
// last of the transports: what comes to it and is no such request is refused.
type requests struct{}

var _ graphql.Transport = requests{}

// Supports implements graphql.Transport.
func (requests) Supports(*http.Request) bool { return true }

// Do implements graphql.Transport.
func (requests) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	mediaType, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		refuse(w, r, http.StatusNotAcceptable, "Accept "+graphqlType+", "+jsonType+" or, for subscriptions, text/event-stream.")
		return
	}
	var params *graphql.RawParams
	switch r.Method {
	case http.MethodGet:
		params = readURL(r.URL.Query())
	case http.MethodPost:
		params = readBody(r)
	default:
		w.Header().Set("Allow", allowedMethods)
		refuse(w, r, http.StatusMethodNotAllowed, "Send GET or POST.")
		return
	}
	if params == nil {
		refuseAs(w, r, mediaType, http.StatusBadRequest, invalid(notARequest))
		return
	}
	now := graphql.Now()
	params.Headers, params.ReadTime = r.Header, graphql.TraceTiming{Start: now, End: now}
	perform(w, r, exec, params, mediaType)
}

// perform executes a request that has the shape of one.
func perform(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, params *graphql.RawParams, mediaType string) {
	ctx := r.Context()
	op, errs := exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		respond(w, mediaType, exec.DispatchError(graphql.WithOperationContext(ctx, op), errs))
		return
	}
	switch {
	case isSubscription(op):
		respond(w, mediaType, failed(ctx, invalid("A subscription needs a websocket (graphql-transport-ws), or Accept: text/event-stream.")))
	case r.Method == http.MethodGet && op.Operation.Operation != ast.Query:
		w.Header().Set("Allow", http.MethodPost)
		refuseAs(w, r, mediaType, http.StatusMethodNotAllowed, invalid("Send mutations by POST."))
	default:
		responses, told := exec.DispatchOperation(ctx, op)
		respond(w, mediaType, responses(told))
	}
}

// respond writes an answer. One without data is that of a request which was not carried out: its status is 400 for
// clients that know the newer media type, and 200 for the others, as the specification has it.
func respond(w http.ResponseWriter, mediaType string, response *graphql.Response) {
	if response == nil { // the client has gone
		return
	}
	status := http.StatusOK
	if response.Data == nil && mediaType == graphqlType {
		status = http.StatusBadRequest
	}
	write(w, mediaType, status, response)
}

// answerBody is an answer as it is written: without data where there can be none.
type answerBody struct {
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Extensions map[string]any  `json:"extensions,omitempty"`
}

func write(w http.ResponseWriter, mediaType string, status int, response *graphql.Response) {
	body, err := json.Marshal(answerBody{response.Errors, response.Data, response.Extensions})
	if err != nil {
		panic(err) // it was made by the executor
	}
	header := w.Header()
	header.Set("Content-Type", mediaType+"; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept, Authorization")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client went away: nobody is left to tell
}

// refuse answers a request that does not get as far as the graph.
func refuse(w http.ResponseWriter, r *http.Request, status int, message string) {
	mediaType, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		mediaType = jsonType
	}
	refuseAs(w, r, mediaType, status, invalid("%s", message))
}

func refuseAs(w http.ResponseWriter, r *http.Request, mediaType string, status int, err error) {
	write(w, mediaType, status, failed(r.Context(), err))
}

// limited bounds a body before anything reads it, in its type, its size and its time. What is no request at all is
// answered here: gqlgen would repeat the body in its answer, and for a stream in the log.
//
// A page of another site cannot have anything executed here: every request carries a bearer token in a header that
// browsers send for nobody without asking first, and no cookie opens anything. So no request is a "simple" one, be
// it a GET or a form.
func (p Patience) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost { // nobody reads what comes with it
			next.ServeHTTP(w, r)
			return
		}
		mediaType, ok := bodyType(w, r)
		if !ok {
			return
		}
		most, patience := int64(maxRequestBody), p.Body
		if mediaType == formType {
			most, patience = maxUploadBody, p.Upload
		}
		if r.ContentLength > most {
			refuse(w, r, http.StatusRequestEntityTooLarge, "The request is too large.")
			return
		}
		r.Body = patient(w, http.MaxBytesReader(w, r.Body, most), patience)
		if mediaType == jsonType && !takeIn(w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

func wantsStream(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// bodyType is the type of a body that can be read; others are refused.
func bodyType(w http.ResponseWriter, r *http.Request) (mediaType string, ok bool) {
	mediaType, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	known := err == nil && (mediaType == jsonType || mediaType == formType && !wantsStream(r))
	if charset := parameters["charset"]; known && charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
		known = false
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		w.Header().Set("Accept-Encoding", "identity")
		known = false
	}
	if !known {
		w.Header().Set("Accept-Post", jsonType+", "+formType)
		refuse(w, r, http.StatusUnsupportedMediaType, "Send application/json in UTF-8, not compressed; files as multipart/form-data.")
	}
	return mediaType, known
}

// takeIn reads a body of JSON whole and looks at it before it is decoded; false when it was refused.
func takeIn(w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, r, http.StatusRequestEntityTooLarge, "The request is too large.")
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		refuse(w, r, http.StatusRequestTimeout, "The request took too long to arrive.")
	case err != nil:
		refuse(w, r, http.StatusBadRequest, "The request did not arrive whole.")
	case !utf8.Valid(body):
		refuse(w, r, http.StatusBadRequest, "The request is not UTF-8.")
	case tooManyValues(body):
		refuse(w, r, http.StatusBadRequest, "The request nests too deeply or has too many values.")
	case !isRequest(body):
		refuse(w, r, http.StatusBadRequest, notARequest)
	default:
		r.Body = readBytes(body)
		return true
	}
	return false
}

// notARequest is said of what has not the shape of a request.
const notARequest = "Send one JSON object with the query as text, and variables and extensions as objects."

// isRequest reports whether a body has the shape of a GraphQL request.
func isRequest(body []byte) bool {
	var request struct {
		Query, OperationName  string
		Variables, Extensions map[string]json.RawMessage
	}
	return json.Unmarshal(body, &request) == nil
}

// sentBody is a request's body. A document may be named by its id alone.
type sentBody struct {
	graphql.RawParams
	DocumentID string `json:"documentId"`
}

// readBody reads the request of a POST; nil where it is none.
func readBody(r *http.Request) *graphql.RawParams {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	var sent sentBody
	if decodeNumbers(body, &sent) != nil {
		return nil
	}
	return named(&sent.RawParams, sent.DocumentID)
}

// readURL reads the request of a GET; nil where it is none.
func readURL(query url.Values) *graphql.RawParams {
	params := &graphql.RawParams{Query: query.Get("query"), OperationName: query.Get("operationName")}
	for name, into := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		if tooManyValues([]byte(text)) || !json.Valid([]byte(text)) || decodeNumbers([]byte(text), into) != nil {
			return nil
		}
	}
	return named(params, query.Get("documentId"))
}

// named takes a document's id as the hash by which Apollo's clients name it; nil where neither names one.
func named(params *graphql.RawParams, documentID string) *graphql.RawParams {
	if documentID != "" && params.Query == "" && params.Extensions["persistedQuery"] == nil {
		if params.Extensions == nil {
			params.Extensions = map[string]any{}
		}
		hash := strings.TrimPrefix(documentID, "sha256:")
		params.Extensions["persistedQuery"] = map[string]any{"version": json.Number("1"), "sha256Hash": hash}
	}
	if params.Query == "" && params.Extensions["persistedQuery"] == nil {
		return nil
	}
	return params
}

// options tells which methods there are, to those without a token too.
func options(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.Header().Set("Allow", allowedMethods)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

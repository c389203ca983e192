package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const (
	newerType = "application/graphql-response+json"
	plainType = "application/json"
)

// call is a request to /graphql in all its parts.
type call struct {
	method, accept, contentType, body string
	query                             url.Values
	header                            map[string]string
}

func (b *bench) call(c call) answer {
	b.Helper()
	if c.method == "" {
		c.method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(b.Context(), c.method, b.url+"/graphql?"+c.query.Encode(), strings.NewReader(c.body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.token())
	for name, value := range map[string]string{"Accept": c.accept, "Content-Type": c.contentType} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	return b.send(r)
}

// jsonBody is a request's body with one parameter as it is given.
func jsonBody(query, parameter, value string) string {
	body := `{"query":` + query
	if parameter != "" {
		body += `,"` + parameter + `":` + value
	}
	return body + "}"
}

const typename = `"{ __typename }"`

// TestGraphQLOverHTTP follows the audits of the reference suite, the npm package graphql-http, by their names. The suite
// itself runs in TestReferenceAudits.
func TestGraphQLOverHTTP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, test := range map[string]struct {
		call   call
		status int
		media  string
	}{
		"SHOULD accept application/graphql-response+json and match the content-type": {call{accept: newerType, contentType: plainType, body: jsonBody(typename, "", "")}, 200, newerType},
		"MUST accept application/json and match the content-type":                    {call{accept: plainType, contentType: plainType, body: jsonBody(typename, "", "")}, 200, plainType},
		"SHOULD accept */* and use application/json":                                 {call{accept: "*/*", contentType: plainType, body: jsonBody(typename, "", "")}, 200, plainType},
		"SHOULD assume application/json when accept is missing":                      {call{contentType: plainType, body: jsonBody(typename, "", "")}, 200, plainType},
		"MUST accept utf-8 encoded request":                                          {call{contentType: "application/json; charset=utf-8", body: jsonBody(`"{ __type(name: \"Run🏃Swim🏊\") { name } }"`, "", "")}, 200, plainType},
		"MAY accept GET":                                                             {call{method: "GET", query: url.Values{"query": {"{ __typename }"}}}, 200, plainType},
		"MUST NOT allow executing mutations on GET":                                  {call{method: "GET", accept: newerType, query: url.Values{"query": {"mutation { __typename }"}}}, 405, newerType},
		"4xx without a content-type":                                                 {call{}, 415, plainType},
		"400 without a body":                                                         {call{contentType: plainType}, 400, plainType},
		"400 without a query":                                                        {call{contentType: plainType, accept: newerType, body: `{"notquery":"{ __typename }"}`}, 400, newerType},
		"400 on an object as query":                                                  {call{contentType: plainType, body: jsonBody(`{"obj":"ect"}`, "", "")}, 400, plainType},
		"400 on a number as query":                                                   {call{contentType: plainType, body: jsonBody(`0`, "", "")}, 400, plainType},
		"400 on a boolean as query":                                                  {call{contentType: plainType, body: jsonBody(`false`, "", "")}, 400, plainType},
		"400 on an array as query":                                                   {call{contentType: plainType, body: jsonBody(`["array"]`, "", "")}, 400, plainType},
		"400 on null as query":                                                       {call{contentType: plainType, body: jsonBody(`null`, "", "")}, 400, plainType},
		"400 on an object as operationName":                                          {call{contentType: plainType, body: jsonBody(typename, "operationName", `{"obj":"ect"}`)}, 400, plainType},
		"400 on a number as operationName":                                           {call{contentType: plainType, body: jsonBody(typename, "operationName", `0`)}, 400, plainType},
		"400 on a boolean as operationName":                                          {call{contentType: plainType, body: jsonBody(typename, "operationName", `false`)}, 400, plainType},
		"400 on an array as operationName":                                           {call{contentType: plainType, body: jsonBody(typename, "operationName", `["array"]`)}, 400, plainType},
		"SHOULD allow string operationName":                                          {call{contentType: plainType, accept: newerType, body: jsonBody(`"query Query { __typename }"`, "operationName", `"Query"`)}, 200, newerType},
		"MUST allow string operationName":                                            {call{contentType: plainType, accept: plainType, body: jsonBody(`"query Query { __typename }"`, "operationName", `"Query"`)}, 200, plainType},
		"MUST allow null variables":                                                  {call{contentType: plainType, accept: plainType, body: jsonBody(typename, "variables", `null`)}, 200, plainType},
		"MUST allow null operationName":                                              {call{contentType: plainType, accept: plainType, body: jsonBody(typename, "operationName", `null`)}, 200, plainType},
		"MUST allow null extensions":                                                 {call{contentType: plainType, accept: newerType, body: jsonBody(typename, "extensions", `null`)}, 200, newerType},
		"400 on a string as variables":                                               {call{contentType: plainType, body: jsonBody(typename, "variables", `"string"`)}, 400, plainType},
		"400 on a number as variables":                                               {call{contentType: plainType, body: jsonBody(typename, "variables", `0`)}, 400, plainType},
		"400 on a boolean as variables":                                              {call{contentType: plainType, body: jsonBody(typename, "variables", `false`)}, 400, plainType},
		"400 on an array as variables":                                               {call{contentType: plainType, body: jsonBody(typename, "variables", `["array"]`)}, 400, plainType},
		"MUST allow map variables":                                                   {call{contentType: plainType, accept: plainType, body: jsonBody(`"query Type($name: String!) { __type(name: $name) { name } }"`, "variables", `{"name":"sometype"}`)}, 200, plainType},
		"MAY allow variables in GETs":                                                {call{method: "GET", accept: newerType, query: url.Values{"query": {"query Type($name: String!) { __type(name: $name) { name } }"}, "variables": {`{"name":"sometype"}`}}}, 200, newerType},
		"400 on variables in GETs that are none":                                     {call{method: "GET", query: url.Values{"query": {"{ __typename }"}, "variables": {`["x"]`}}}, 400, plainType},
		"400 on variables in GETs with more behind":                                  {call{method: "GET", query: url.Values{"query": {"{ __typename }"}, "variables": {`{} {}`}}}, 400, plainType},
		"400 on a GET without a query":                                               {call{method: "GET"}, 400, plainType},
		"400 on a string as extensions":                                              {call{contentType: plainType, body: jsonBody(typename, "extensions", `"string"`)}, 400, plainType},
		"400 on a number as extensions":                                              {call{contentType: plainType, body: jsonBody(typename, "extensions", `0`)}, 400, plainType},
		"400 on a boolean as extensions":                                             {call{contentType: plainType, body: jsonBody(typename, "extensions", `false`)}, 400, plainType},
		"400 on an array as extensions":                                              {call{contentType: plainType, body: jsonBody(typename, "extensions", `["array"]`)}, 400, plainType},
		"MUST allow map extensions":                                                  {call{contentType: plainType, accept: plainType, body: jsonBody(typename, "extensions", `{"some":"value"}`)}, 200, plainType},
		"400 on JSON that does not parse":                                            {call{contentType: plainType, body: `{ "not a JSON`}, 400, plainType},
		"400 on JSON with more behind":                                               {call{contentType: plainType, body: jsonBody(typename, "", "") + "x"}, 400, plainType},
		"400 on a batch":                                                             {call{contentType: plainType, body: "[" + jsonBody(typename, "", "") + "]"}, 400, plainType},
		"200 on a document that does not parse, for application/json":                {call{contentType: plainType, accept: plainType, body: jsonBody(`"{"`, "", "")}, 200, plainType},
		"200 on a document that is not valid, for application/json":                  {call{contentType: plainType, accept: plainType, body: jsonBody(`"{ x8f31403d }"`, "", "")}, 200, plainType},
		"200 on variables that do not fit, for application/json":                     {call{contentType: plainType, accept: plainType, body: jsonBody(`"query C($id: ID!) { node(id: $id) { id } }"`, "variables", `{"id":null}`)}, 200, plainType},
		"400 on a document that does not parse":                                      {call{contentType: plainType, accept: newerType, body: jsonBody(`"{"`, "", "")}, 400, newerType},
		"400 on a document that is not valid":                                        {call{contentType: plainType, accept: newerType, body: jsonBody(`"{ x8f31403d }"`, "", "")}, 400, newerType},
		"400 on variables that do not fit":                                           {call{contentType: plainType, accept: newerType, body: jsonBody(`"query C($id: ID!) { node(id: $id) { id } }"`, "variables", `{"id":null}`)}, 400, newerType},
		"400 on an operation that there is not":                                      {call{contentType: plainType, accept: newerType, body: jsonBody(`"query A { __typename }"`, "operationName", `"B"`)}, 400, newerType},
		"200 with data that is null":                                                 {call{contentType: plainType, accept: newerType, body: jsonBody(`"{ node(id: \"x\") { id } }"`, "", "")}, 200, newerType},
		"405 on PUT":                                                                 {call{method: "PUT", contentType: plainType, body: jsonBody(typename, "", "")}, 405, plainType},
		"405 on DELETE":                                                              {call{method: "DELETE"}, 405, plainType},
		"406 for text/html alone":                                                    {call{accept: "text/html", contentType: plainType, body: jsonBody(typename, "", "")}, 406, plainType},
		"406 for another charset alone":                                              {call{accept: "application/json; charset=utf-16", contentType: plainType, body: jsonBody(typename, "", "")}, 406, plainType},
		"415 on a text":                                                              {call{contentType: "text/plain", body: jsonBody(typename, "", "")}, 415, plainType},
		"415 on a form":                                                              {call{contentType: "application/x-www-form-urlencoded", body: "query=%7B__typename%7D"}, 415, plainType},
		"415 on another charset":                                                     {call{contentType: "application/json; charset=latin1", body: jsonBody(typename, "", "")}, 415, plainType},
		"415 on a compressed body":                                                   {call{contentType: plainType, body: "x", header: map[string]string{"Content-Encoding": "gzip"}}, 415, plainType},
	} {
		t.Run(name, func(t *testing.T) {
			b := *b
			b.TB = t
			got := b.call(test.call)
			if got.status != test.status {
				t.Errorf("status %d, want %d: %.300s", got.status, test.status, got.text)
			}
			if want := test.media + "; charset=utf-8"; got.header.Get("Content-Type") != want {
				t.Errorf("Content-Type %q, want %q", got.header.Get("Content-Type"), want)
			}
			if got.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("browsers may guess the type")
			}
			var body map[string]json.RawMessage
			if err := json.Unmarshal([]byte(got.text), &body); err != nil {
				t.Fatalf("%v: %s", err, got.text)
			}
			if _, there := body["data"]; there == (test.status >= 400 || strings.HasPrefix(name, "200 on")) {
				t.Errorf("data should be there only when the request was carried out: %s", got.text)
			}
		})
	}
}

func TestAMutationByGETIsToldHow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.approved("loan-1")
	got := b.call(call{method: "GET", query: url.Values{"query": {"mutation { " + payout("a", loan, "k") + " }"}}})
	if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "POST" || b.lender.moved != 0 {
		t.Errorf("answered %d, Allow %q: %s", got.status, got.header.Get("Allow"), got.text)
	}
}

func TestTheTypeOfAnAnswerIsTheOneAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for accept, want := range map[string]string{
		"application/graphql-response+json; charset=utf-8, application/json; charset=utf-8": newerType,
		"application/json, application/graphql-response+json":                               plainType,
		"application/json;q=0.5, application/graphql-response+json;q=0.9":                   newerType,
		"application/graphql-response+json;q=0.1, application/json":                         plainType,
		"application/graphql-response+json, */*;q=0.1":                                      newerType,
		"application/graphql-response+json;q=0.5, */*":                                      plainType,
		"text/html, application/xhtml+xml, */*;q=0.8":                                       plainType,
		"application/*":                             plainType,
		"APPLICATION/JSON":                          plainType,
		"application/json;q=0, */*":                 newerType,
		"application/graphql-response+json;q=0":     "",
		"application/json;q=0":                      "",
		"application/json;q=7":                      "",
		"text/plain":                                "",
		"application/json; charset=utf-16":          "",
		"application/json; charset=UTF-8":           plainType,
		"application/graphql+json":                  "",
		"text/html;level=1, application/json;q=0.4": plainType,
	} {
		got := b.call(call{accept: accept, contentType: plainType, body: jsonBody(typename, "", "")})
		if want == "" {
			if got.status != http.StatusNotAcceptable {
				t.Errorf("%s: answered %d", accept, got.status)
			}
			continue
		}
		if got.status != 200 || got.header.Get("Content-Type") != want+"; charset=utf-8" {
			t.Errorf("%s: answered %d %s", accept, got.status, got.header.Get("Content-Type"))
		}
	}
}

// TestNothingHappensWithoutAToken sends what a page of another site can have a browser send without asking first, and more:
// none of it is carried out, as none of it can bring a token.
func TestNothingHappensWithoutAToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.approved("loan-1")
	mutation := "mutation { " + payout("a", loan, "k") + " }"
	body, err := json.Marshal(map[string]string{"query": mutation})
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", plainType} {
			for name, header := range map[string]map[string]string{
				"nothing":          {"Authorization": ""},
				"a cookie":         {"Authorization": "", "Cookie": "token=" + b.token() + "; Authorization=Bearer " + b.token()},
				"a browser's own":  {"Authorization": "Basic dXNlcjpzZWNyZXQ="},
				"a preflight mark": {"Authorization": "", "GraphQL-Preflight": "1"},
			} {
				got := b.call(call{method: method, contentType: contentType, body: string(body), query: url.Values{"query": {mutation}, "access_token": {b.token()}}, header: header})
				if got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" || got.Data != nil {
					t.Errorf("%s %q with %s: answered %d %.200s", method, contentType, name, got.status, got.text)
				}
			}
		}
	}
	if b.lender.moved != 0 {
		t.Fatal("money was moved")
	}
}

func TestOptionsNeedNoToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.call(call{method: "OPTIONS", header: map[string]string{"Authorization": ""}})
	if got.status != http.StatusNoContent || got.header.Get("Allow") != "GET, POST, OPTIONS" {
		t.Errorf("answered %d %v", got.status, got.header)
	}
}

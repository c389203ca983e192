package kredmint_test

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredmint"
)

// part is one part of a form.
type part struct{ Name, File, Type, Content string }

// parts takes the form of a request apart.
func parts(t *testing.T, c call) []part {
	t.Helper()
	media, parameters, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		t.Fatalf("content type %q: %v", c.Header.Get("Content-Type"), err)
	}
	var got []part
	reader := multipart.NewReader(bytes.NewReader(c.Body), parameters["boundary"])
	for {
		p, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part{p.FormName(), p.FileName(), p.Header.Get("Content-Type"), string(content)})
	}
}

func TestUploadOfTheSeed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer string
		upload provider.Upload
		path   string
		parts  []part
		want   lending.Document
	}{
		"financial data": {
			answer: "financial_document.json",
			upload: provider.Upload{
				Kind: lending.FinancialDataDocument, Username: "+919887206895", UserID: "USR-111", Password: "s3cret",
				Name: "TaxInvoice.pdf", ContentType: "application/pdf",
			},
			path: "/user/document/upload",
			parts: []part{
				{"file", "TaxInvoice.pdf", "application/pdf", "content"},
				{"docType", "", "", "FINANCIAL_DATA"},
				{"userId", "", "", "USR-111"},
				{"username", "", "", username},
				{"docPassword", "", "", "s3cret"},
			},
			want: lending.Document{
				Provider: lending.Kredmint, ExternalID: "UDOC-5018", Name: "TaxInvoice_AIN2425000543858.pdf",
				Kind:         lending.FinancialDataDocument,
				URL:          "https://kredmint-user-doc-dev.s3.ap-south-1.kredmint.in/USR-2255/NGZvOf-TaxInvoice_AIN2425000543858.pdf",
				URLExpiresAt: time.Date(2024, 5, 4, 12, 30, 53, 708_000_000, time.UTC),
				CreatedAt:    time.Date(2024, 5, 3, 12, 30, 53, 785_000_000, time.UTC),
			},
		},
		"financial data without what is optional": {
			answer: "financial_document.json",
			upload: provider.Upload{Kind: lending.FinancialDataDocument, Username: username},
			path:   "/user/document/upload",
			parts: []part{
				{"file", "document", "application/octet-stream", "content"},
				{"docType", "", "", "FINANCIAL_DATA"},
				{"username", "", "", username},
			},
		},
		"an invoice": {
			answer: "invoice_document.json",
			upload: provider.Upload{
				Kind: lending.InvoiceDocument, Username: username, InvoiceNumber: "543354123253", Password: "unused",
				Name: `C:\scans\Screenshot "1".png` + "\r\n", ContentType: "no type\r\nX-Evil: 1",
			},
			path: "/account/invoice/upload",
			parts: []part{
				{"file", `Screenshot "1".png` + "%0D%0A", "application/octet-stream", "content"},
				{"username", "", "", username},
				{"invoiceNumber", "", "", "543354123253"},
			},
			want: lending.Document{
				Provider: lending.Kredmint, ExternalID: "UDOC-5588", Name: "Screenshot 2023-11-22 182933.png",
				Kind: lending.InvoiceDocument, InvoiceNumber: "543354123253",
				URLExpiresAt: time.Date(2024, 5, 30, 12, 37, 19, 779_000_000, time.UTC),
				CreatedAt:    time.Date(2024, 5, 29, 12, 37, 31, 645_000_000, time.UTC),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, seed(t, test.answer))
			test.upload.Content = strings.NewReader("content")
			got, err := k.Documents.UploadDocument(t.Context(), test.upload)
			if err != nil {
				t.Fatal(err)
			}
			sent := k.Calls()[0]
			if sent.Method != http.MethodPost || sent.Path != test.path || sent.Header.Get("Authorization") != authorization {
				t.Errorf("sent %s %s", sent.Method, sent.Path)
			}
			if diff := cmp.Diff(test.parts, parts(t, sent)); diff != "" {
				t.Errorf("form (-want +got):\n%s", diff)
			}
			if test.want.ExternalID == "" {
				return
			}
			if test.want.URL == "" {
				test.want.URL = got.URL
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
			if !strings.HasPrefix(got.URL, "https://kredmint-user-doc-dev.s3.") || k.Log.Len() != 0 {
				t.Errorf("address %s, log %s", got.URL, k.Log)
			}
		})
	}
}

func TestUploadRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		upload provider.Upload
		field  string
	}{
		"no customer":       {provider.Upload{Kind: lending.FinancialDataDocument, Content: strings.NewReader("x")}, "username"},
		"no invoice number": {provider.Upload{Kind: lending.InvoiceDocument, Username: username, Content: strings.NewReader("x")}, "invoiceNumber"},
		"no kind":           {provider.Upload{Username: username, Content: strings.NewReader("x")}, "kind"},
		"no file":           {provider.Upload{Kind: lending.FinancialDataDocument, Username: username}, "file"},
		"an empty file":     {provider.Upload{Kind: lending.FinancialDataDocument, Username: username, Content: strings.NewReader("")}, "file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, http.StatusOK, seed(t, "financial_document.json"))
			_, err := k.Documents.UploadDocument(t.Context(), test.upload)
			wantProblem(t, err, "input", test.field)
			if len(k.Calls()) != 0 {
				t.Error("it was sent all the same")
			}
		})
	}
}

func TestUploadNeedsAnIDInTheAnswer(t *testing.T) {
	t.Parallel()
	k := setup(t, http.StatusOK, `{"payload":{"url":"https://example.com/"}}`)
	_, err := k.Documents.UploadDocument(t.Context(), provider.Upload{
		Kind: lending.FinancialDataDocument, Username: username, Content: strings.NewReader("x"),
	})
	if lending.KindOf(err) != lending.KindOutcomeUnknown {
		t.Errorf("error %v, want UPSTREAM_PROTOCOL", err)
	}
}

// handOver is a file whose second half can only be read once its first half was sent, and a transport
// that says so.
type handOver struct {
	halves int
	sent   chan struct{}
}

func (h *handOver) Read(p []byte) (int, error) {
	h.halves++
	switch h.halves {
	case 1:
		return copy(p, "first half,"), nil
	case 2:
		select {
		case <-h.sent:
			return copy(p, "second half"), nil
		case <-time.After(10 * time.Second):
			return 0, errors.New("the first half was not sent before the second was read")
		}
	}
	return 0, io.EOF
}

func (h *handOver) RoundTrip(r *http.Request) (*http.Response, error) {
	var got []byte
	buffer := make([]byte, 4096)
	for !bytes.Contains(got, []byte("first half,")) {
		n, err := r.Body.Read(buffer)
		if err != nil {
			return nil, err
		}
		got = append(got, buffer[:n]...)
	}
	close(h.sent)
	rest, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(rest, []byte("second half")) || r.ContentLength > 0 {
		return nil, errors.New("not streamed")
	}
	body := `{"payload":{"id":"UDOC-1"}}`
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestUploadIsStreamed(t *testing.T) {
	t.Parallel()
	file := &handOver{sent: make(chan struct{})}
	p, err := kredmint.New(config("http://kredmint.invalid"), kredmint.Deps{Transport: file})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Documents.UploadDocument(t.Context(), provider.Upload{
		Kind: lending.InvoiceDocument, Username: username, InvoiceNumber: "1", Content: file,
	})
	if err != nil || got.ExternalID != "UDOC-1" {
		t.Errorf("document %v: %v", got, err)
	}
}

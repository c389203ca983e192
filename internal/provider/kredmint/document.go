package kredmint

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"path"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

const (
	financialDataPath = "/user/document/upload"
	invoicePath       = "/account/invoice/upload"
)

// document is a stored document. URL is signed for a day, by S3, and whoever has it can read the file.
type document struct {
	ID            wire.Text   `json:"id"`
	CreationDate  wire.Number `json:"creationDate"`
	URL           wire.Text   `json:"url"`
	Name          wire.Text   `json:"name"`
	URLExpiryDate wire.Number `json:"urlExpiryDate"`
}

// formField is a field of a form, in the order in which the documentation has them.
type formField struct{ name, value string }

// UploadDocument stores a document: data for the underwriting, or the document of an invoice that was
// paid. The file is streamed. Kredmint keeps each copy that it gets, so an upload whose answer is lost may
// have taken place; a second copy does no harm, and whether to send one is for the person who has the file.
// Content can be read once only, and a second try with the same Upload is refused as an empty file.
func (c *client) UploadDocument(ctx context.Context, upload provider.Upload) (lending.Document, error) {
	host, route, fields, err := c.destination(upload)
	if err != nil {
		return lending.Document{}, err
	}
	content := bufio.NewReader(upload.Content)
	if _, err := content.Peek(1); errors.Is(err, io.EOF) {
		return lending.Document{}, invalid(mend("The file is empty.", "file"))
	}
	contentType, body, err := form(upload, content, fields)
	if err != nil {
		return lending.Document{}, err
	}
	answer, err := c.call(ctx, host, provider.Write, restclient.Request{
		Method: http.MethodPost, Path: route, ContentType: contentType, Stream: body,
	})
	if err != nil {
		return lending.Document{}, err
	}
	payload, err := payloadOf[document](provider.Write, answer)
	if err != nil {
		return lending.Document{}, err
	}
	if identifier(payload.ID) == "" {
		return lending.Document{}, garbled(provider.Write, "a document without an id")
	}
	return c.document(upload, answer, payload), nil
}

func (r *reader) document(upload provider.Upload, answer envelope, payload document) lending.Document {
	created := r.instant("creationDate", payload.CreationDate)
	if created.IsZero() { // the answer for an invoice does not tell it
		created = r.instant("timestamp", answer.Timestamp)
	}
	return lending.Document{
		Provider: lending.Kredmint, ExternalID: identifier(payload.ID), Name: string(payload.Name), Kind: upload.Kind,
		InvoiceNumber: upload.InvoiceNumber, URL: webAddress(payload.URL),
		URLExpiresAt: r.instant("urlExpiryDate", payload.URLExpiryDate), CreatedAt: created,
	}
}

// destination is where a document of a kind goes, and with which fields.
func (c *client) destination(upload provider.Upload) (host *restclient.Client, route string, fields []formField, err error) {
	var problems []lending.Problem
	if upload.Username == "" {
		problems = append(problems, required("username"))
	}
	if upload.Content == nil {
		problems = append(problems, required("file"))
	}
	username := formField{"username", national(upload.Username)}
	switch upload.Kind {
	case lending.FinancialDataDocument:
		host, route = c.user, financialDataPath
		fields = []formField{{"docType", "FINANCIAL_DATA"}, {"userId", upload.UserID}, username, {"docPassword", upload.Password}}
	case lending.InvoiceDocument:
		if upload.InvoiceNumber == "" {
			problems = append(problems, required("invoiceNumber"))
		}
		host, route, fields = c.account, invoicePath, []formField{username, {"invoiceNumber", upload.InvoiceNumber}}
	default:
		problems = append(problems, mend("Kredmint stores invoices and financial data.", "kind"))
	}
	return host, route, fields, invalid(problems...)
}

// form is the multipart body of an upload: the file first, as in the documentation, then the fields that
// are set. Only what stands around the file is held in memory.
func form(upload provider.Upload, content io.Reader, fields []formField) (contentType string, body io.Reader, err error) {
	var around bytes.Buffer
	writer := multipart.NewWriter(&around)
	if _, err = writer.CreatePart(fileHeader(upload)); err != nil {
		return "", nil, unsendable(err)
	}
	head := bytes.Clone(around.Bytes())
	around.Reset()
	for _, field := range fields {
		if field.value == "" {
			continue
		}
		if err = writer.WriteField(field.name, field.value); err != nil {
			return "", nil, unsendable(err)
		}
	}
	if err = writer.Close(); err != nil {
		return "", nil, unsendable(err)
	}
	return writer.FormDataContentType(), io.MultiReader(bytes.NewReader(head), content, &around), nil
}

// fileHeader names the file by its last path element, and by a type that can stand in a header.
func fileHeader(upload provider.Upload) textproto.MIMEHeader {
	name := path.Base(strings.ReplaceAll(upload.Name, `\`, "/"))
	if upload.Name == "" || name == "." || name == "/" {
		name = "document"
	}
	contentType := "application/octet-stream"
	if media, parameters, err := mime.ParseMediaType(upload.ContentType); err == nil {
		contentType = mime.FormatMediaType(media, parameters)
	}
	return textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("file", name)},
		"Content-Type":        {contentType},
	}
}

// unsendable is the error for a request that could not be built.
func unsendable(err error) error {
	return &lending.Error{
		Provider: lending.Kredmint, Kind: lending.KindInternal, Outcome: lending.NotExecuted,
		Err: fmt.Errorf("build a request: %w", err),
	}
}

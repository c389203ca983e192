package kredete

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// The sizes of a page of customers (seed 000, List Customers).
const (
	defaultPage = 20
	maxPage     = 100
)

// newCustomerBody is the request of seed 000, Create Customer. What is not known is left out.
type newCustomerBody struct {
	FirstName      string              `json:"first_name"`
	LastName       string              `json:"last_name"`
	Email          string              `json:"email,omitempty"`
	Phone          string              `json:"phone,omitempty"`
	DateOfBirth    string              `json:"date_of_birth,omitempty"`
	Gender         string              `json:"gender,omitempty"`
	Nationality    string              `json:"nationality,omitempty"`
	Identification *identificationBody `json:"identification,omitempty"`
	Address        *addressBody        `json:"address,omitempty"`
	Employment     *employmentBody     `json:"employment,omitempty"`
}

type identificationBody struct {
	Type       string `json:"type"`
	Number     string `json:"number"`
	ExpiryDate string `json:"expiry_date,omitempty"`
}

type addressBody struct {
	Street     string `json:"street,omitempty"`
	City       string `json:"city,omitempty"`
	State      string `json:"state,omitempty"`
	Country    string `json:"country,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
}

type employmentBody struct {
	Status         string      `json:"status,omitempty"`
	Employer       string      `json:"employer,omitempty"`
	JobTitle       string      `json:"job_title,omitempty"`
	MonthlyIncome  json.Number `json:"monthly_income,omitempty"`
	EmploymentDate string      `json:"employment_date,omitempty"`
}

// customerFields are the graph's names of the request's fields.
var customerFields = map[string]string{
	"first_name": "firstName", "last_name": "lastName", "email": "email", "phone": "phone",
	"date_of_birth": "dateOfBirth", "gender": "gender", "nationality": "nationality",
	"identification": "identification", "identification.type": "identification.type",
	"identification.number": "identification.number", "identification.expiry_date": "identification.expiresOn",
	"address": "address", "address.street": "address.street", "address.city": "address.city",
	"address.state": "address.state", "address.country": "address.country",
	"address.postal_code": "address.postalCode",
	"employment":          "employment", "employment.status": "employment.status",
	"employment.employer": "employment.employer", "employment.job_title": "employment.jobTitle",
	"employment.monthly_income": "employment.monthlyIncome", "employment.employment_date": "employment.since",
}

// customerBody is the answer of seed 000, Create Customer.
type customerBody struct {
	ID        wire.Text `json:"id"`
	FirstName wire.Text `json:"first_name"`
	LastName  wire.Text `json:"last_name"`
	Email     wire.Text `json:"email"`
	Phone     wire.Text `json:"phone"`
	Status    wire.Text `json:"status"`
	KYCStatus wire.Text `json:"kyc_status"`
	CreatedAt wire.Text `json:"created_at"`
	UpdatedAt wire.Text `json:"updated_at"`
}

// CreateCustomer makes a customer (POST /customers). Kredete does not dedupe: after a lost answer the
// customer is looked for with ListProfiles, by e-mail and phone.
func (c *client) CreateCustomer(ctx context.Context, customer provider.NewCustomer) (lending.Profile, error) {
	body, err := c.do(ctx, call{
		class: provider.Write, method: http.MethodPost, path: "/customers",
		body: c.newCustomer(customer), fields: customerFields,
	})
	if err != nil {
		return lending.Profile{}, err
	}
	made, err := entity[customerBody](body, "customer")
	if err == nil && made.ID == "" {
		err = errNoID
	}
	if err != nil {
		return lending.Profile{}, garbled(provider.Write, "customer", err)
	}
	return c.profile(made), nil
}

func (c *client) newCustomer(n provider.NewCustomer) newCustomerBody {
	body := newCustomerBody{
		FirstName: n.FirstName, LastName: n.LastName, Email: n.Email, Phone: n.Phone,
		DateOfBirth: n.DateOfBirth.String(), Gender: wordFor(n.Gender), Nationality: n.Nationality,
	}
	if id := n.Identification; id != nil {
		body.Identification = &identificationBody{
			Type: string(id.Type), Number: id.Number, ExpiryDate: id.ExpiresOn.String(),
		}
	}
	if a := n.Address; a != nil {
		body.Address = &addressBody{
			Street: a.Street, City: a.City, State: a.State, Country: a.Country, PostalCode: a.PostalCode,
		}
	}
	if e := n.Employment; e != nil {
		body.Employment = &employmentBody{
			Status: wordFor(e.Status), Employer: e.Employer, JobTitle: e.JobTitle, EmploymentDate: e.Since.String(),
		}
		if e.MonthlyIncome != nil {
			body.Employment.MonthlyIncome = c.literal(*e.MonthlyIncome)
		}
	}
	return body
}

// Profile reads one customer (GET /customers/{id}). An answer about another customer is refused.
func (c *client) Profile(ctx context.Context, externalID string) (lending.Profile, error) {
	id, err := pathID("customer", externalID)
	if err != nil {
		return lending.Profile{}, err
	}
	body, err := c.do(ctx, call{class: provider.Read, method: http.MethodGet, path: "/customers/" + id})
	if err != nil {
		return lending.Profile{}, err
	}
	found, err := entity[customerBody](body, "customer")
	switch {
	case err != nil:
	case found.ID == "":
		err = errNoID
	case found.ID.String() != externalID:
		err = errOtherEntity
	}
	if err != nil {
		return lending.Profile{}, garbled(provider.Read, "customer", err)
	}
	return c.profile(found), nil
}

func (c *client) profile(b customerBody) lending.Profile {
	return lending.Profile{
		ExternalID: b.ID.String(), FirstName: b.FirstName.String(), LastName: b.LastName.String(),
		Email: b.Email.String(), Phone: b.Phone.String(),
		Status:         lookup(c.odd, "customer status", customerWords, lending.CustomerUnknown, b.Status),
		ProviderStatus: b.Status.String(),
		KYCStatus:      lookup(c.odd, "KYC status", kycWords, lending.KYCUnknown, b.KYCStatus),
		CreatedAt:      wire.Timestamp(b.CreatedAt), UpdatedAt: wire.Timestamp(b.UpdatedAt),
	}
}

// ListProfiles lists customers (GET /customers). Pages start at 1; a limit over 100 is taken as 100.
func (c *client) ListProfiles(ctx context.Context, query provider.ProfileQuery) (provider.ProfilePage, error) {
	query.Page = max(1, query.Page)
	if query.Limit <= 0 {
		query.Limit = defaultPage
	}
	query.Limit = min(query.Limit, maxPage)
	values := url.Values{"page": {strconv.Itoa(query.Page)}, "limit": {strconv.Itoa(query.Limit)}}
	if word := wordFor(query.Status); word != "" {
		values.Set("status", word)
	}
	if word := wordFor(query.KYCStatus); word != "" {
		values.Set("kyc_status", word)
	}
	body, err := c.do(ctx, call{class: provider.Read, method: http.MethodGet, path: "/customers", query: values})
	if err != nil {
		return provider.ProfilePage{}, err
	}
	list, err := readList(body)
	if err != nil {
		return provider.ProfilePage{}, garbled(provider.Read, "customers", err)
	}
	return c.profilePage(list, query), nil
}

func (c *client) profilePage(list listBody, query provider.ProfileQuery) provider.ProfilePage {
	page := provider.ProfilePage{Total: list.place.Total.Or(-1), HasMore: list.more(query.Page, query.Limit)}
	unread := list.customers.Skipped
	for _, b := range list.customers.Items {
		if b.ID == "" {
			unread++
			continue
		}
		page.Profiles = append(page.Profiles, c.profile(b))
	}
	if unread > 0 {
		c.log.Warn("Kredete listed customers that cannot be read", "count", unread)
	}
	return page
}

// placeBody is where a page stands in its list, in the words that such lists commonly use: none of them
// is documented.
type placeBody struct {
	Limit      wire.Count `json:"limit"`
	Total      wire.Count `json:"total"`
	TotalPages wire.Count `json:"total_pages"`
	HasMore    wire.Bool  `json:"has_more"`
}

// told reports whether any of it was told.
func (p placeBody) told() bool {
	return p.Total.Int() != nil || p.TotalPages.Int() != nil || p.HasMore.IsSet()
}

type listBody struct {
	customers wire.List[customerBody]
	place     placeBody
}

// more reports whether there is another page. A page with nothing on it is the last, whatever is said
// of it, so that nobody turns pages for ever.
func (l listBody) more(page, limit int) bool {
	count := len(l.customers.Items) + l.customers.Skipped
	if told := l.place.Limit.Or(limit); told > 0 {
		limit = min(limit, told)
	}
	switch {
	case count == 0:
		return false
	case l.place.HasMore.IsSet():
		return l.place.HasMore.True()
	case l.place.TotalPages.Int() != nil:
		return page < l.place.TotalPages.Or(0)
	case l.place.Total.Int() != nil:
		return int64(page)*int64(limit) < int64(l.place.Total.Or(0))
	}
	return count >= limit
}

var errNoList = errors.New("an answer without a list")

// readList reads a list in any of the shapes that are plausible, as none is documented: an array, or an
// object with the array under a common name, and its place beside it or under meta or pagination.
func readList(body []byte) (listBody, error) {
	var list listBody
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '[' {
		if !json.Valid(trimmed) {
			return list, wire.ErrNotJSON
		}
		return list, json.Unmarshal(trimmed, &list.customers) // a wire.List never fails
	}
	top := map[string]json.RawMessage{}
	if err := wire.Decode(body, &top); err != nil {
		return list, err
	}
	if reportsFailure(top) {
		return list, errContradiction
	}
	return list, list.fill(top, 2)
}

// fill looks for the list in an object, and in the object under "data" if depth allows.
func (l *listBody) fill(top map[string]json.RawMessage, depth int) error {
	l.readPlace(top)
	for _, key := range []string{"customers", "items", "data"} {
		raw, there := top[key]
		if !there {
			continue
		}
		if inner := map[string]json.RawMessage{}; depth > 1 && json.Unmarshal(raw, &inner) == nil && inner != nil {
			return l.fill(inner, depth-1)
		}
		return json.Unmarshal(raw, &l.customers) // a wire.List never fails
	}
	return errNoList
}

// readPlace takes the place from an object, or from meta or pagination in it.
func (l *listBody) readPlace(top map[string]json.RawMessage) {
	whole, err := json.Marshal(top)
	if err != nil {
		return // it was just read
	}
	for _, raw := range []json.RawMessage{whole, top["meta"], top["pagination"]} {
		var place placeBody
		if json.Unmarshal(raw, &place) == nil && place.told() {
			l.place = place
			return
		}
	}
}

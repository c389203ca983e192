package kredete

import (
	"encoding/json"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// customer is what the API tells of a customer (seed 000, Create Customer, Response).
type customer struct {
	ID         string    `json:"id"`
	ExternalID *string   `json:"external_id"`
	FirstName  string    `json:"first_name"`
	LastName   string    `json:"last_name"`
	Email      string    `json:"email"`
	Phone      string    `json:"phone"`
	Status     string    `json:"status"`
	KYCStatus  string    `json:"kyc_status"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// newCustomer is the body of Create Customer.
type newCustomer struct {
	FirstName      string `json:"first_name"`
	LastName       string `json:"last_name"`
	Email          string `json:"email"`
	Phone          string `json:"phone"`
	DateOfBirth    string `json:"date_of_birth"`
	Gender         string `json:"gender"`
	Nationality    string `json:"nationality"`
	Identification *struct {
		Type       string `json:"type"`
		Number     string `json:"number"`
		ExpiryDate string `json:"expiry_date"`
	} `json:"identification"`
	Address *struct {
		Street     string `json:"street"`
		City       string `json:"city"`
		State      string `json:"state"`
		Country    string `json:"country"`
		PostalCode string `json:"postal_code"`
	} `json:"address"`
	Employment *struct {
		Status         string      `json:"status"`
		Employer       string      `json:"employer"`
		JobTitle       string      `json:"job_title"`
		MonthlyIncome  json.Number `json:"monthly_income"`
		EmploymentDate string      `json:"employment_date"`
	} `json:"employment"`
}

var (
	e164    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	country = regexp.MustCompile(`^([A-Z]{2})?$`)
)

func (n *newCustomer) check() checks {
	var c checks
	c.required("first_name", n.FirstName)
	c.required("last_name", n.LastName)
	address, err := mail.ParseAddress(n.Email)
	c.that(err == nil && address.Address == n.Email, "email", "email must be an e-mail address")
	c.that(e164.MatchString(n.Phone), "phone", "phone must be in international format")
	c.required("date_of_birth", n.DateOfBirth)
	c.date("date_of_birth", n.DateOfBirth)
	c.that(slices.Contains([]string{"", "male", "female", "other"}, n.Gender), "gender", "gender is not known")
	c.that(country.MatchString(n.Nationality), "nationality", "nationality must be a country code")
	if id := n.Identification; id != nil {
		c.required("identification.type", id.Type)
		c.required("identification.number", id.Number)
		c.date("identification.expiry_date", id.ExpiryDate)
	}
	if n.Address != nil {
		c.that(country.MatchString(n.Address.Country), "address.country", "country must be a country code")
	}
	if job := n.Employment; job != nil {
		income, err := lending.ParseMoney(string(job.MonthlyIncome), lending.NGN)
		c.that(job.MonthlyIncome == "" || err == nil && income.Sign() >= 0, "employment.monthly_income",
			"monthly_income must be an amount")
		c.date("employment.employment_date", job.EmploymentDate)
	}
	return c
}

// date takes an empty text for no date.
func (c *checks) date(field, text string) {
	_, err := lending.ParseDate(text)
	c.that(text == "" || err == nil, field, field+" must be a date of the form YYYY-MM-DD")
}

func (t *Twin) createCustomer(w http.ResponseWriter, r *http.Request) {
	var asked newCustomer
	body, ok := t.read(w, r, &asked)
	if !ok {
		return
	}
	if problems := asked.check(); len(problems) > 0 {
		t.fail(w, http.StatusBadRequest, problems)
		return
	}
	now := t.now()
	made := customer{
		ID: t.ids.Next("cust_"), FirstName: asked.FirstName, LastName: asked.LastName,
		Email: asked.Email, Phone: asked.Phone, Status: "pending_kyc", KYCStatus: "not_started",
		CreatedAt: now, UpdatedAt: now,
	}
	t.mu.Lock()
	kept := made
	t.created = append(t.created, &kept)
	t.changed[made.ID] = &kept
	t.mu.Unlock()
	t.core.Effects.Record(twin.Effect{
		Operation: "customer.create", Key: made.ID, EntityID: made.ID, Fingerprint: twin.Fingerprint(body),
	})
	twin.WriteJSON(w, http.StatusCreated, made)
}

func (t *Twin) getCustomer(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	found, ok := t.customer(r.PathValue("id"))
	t.mu.Unlock()
	if !ok {
		t.refuse(w, r, http.StatusNotFound)
		return
	}
	twin.WriteJSON(w, http.StatusOK, found)
}

// customer finds a customer, made here or of the world. The lock is held.
func (t *Twin) customer(id string) (customer, bool) {
	if found, ok := t.changed[id]; ok {
		return *found, true
	}
	person, ok := t.world.ByKredeteID(id)
	return customerOf(&person), ok
}

func customerOf(p *world.Person) customer {
	return customer{
		ID: p.KredeteID, FirstName: p.FirstName, LastName: p.LastName, Email: p.Email, Phone: p.Phone,
		Status: wireStatus(p.Status), KYCStatus: wireKYC(p.KYCStatus),
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

func wireStatus(s lending.CustomerStatus) string { return strings.ToLower(string(s)) }

func wireKYC(s lending.KYCStatus) string { return strings.ToLower(string(s)) }

// listing is what List Customers is asked for; an empty status does not narrow.
type listing struct {
	status      lending.CustomerStatus
	kyc         lending.KYCStatus
	page, limit int
}

// parseListing reads the parameters of seed 000, List Customers.
func parseListing(query url.Values) (listing, checks) {
	l := listing{
		status: lending.CustomerStatus(strings.ToUpper(query.Get("status"))),
		kyc:    lending.KYCStatus(strings.ToUpper(query.Get("kyc_status"))),
		page:   1, limit: 20,
	}
	var c checks
	c.that(l.status == "" || l.status.Valid(), "status", "status is not known")
	c.that(l.kyc == "" || l.kyc.Valid(), "kyc_status", "kyc_status is not known")
	for _, number := range []struct {
		name string
		most int
		into *int
	}{{"page", 10_000_000, &l.page}, {"limit", 100, &l.limit}} {
		if text := query.Get(number.name); text != "" {
			n, err := strconv.Atoi(text)
			c.that(err == nil && n >= 1 && n <= number.most, number.name,
				number.name+" must be 1 to "+strconv.Itoa(number.most))
			*number.into = n
		}
	}
	return l, c
}

func (l listing) narrows() bool { return l.status != "" || l.kyc != "" }

func (l listing) wants(status lending.CustomerStatus, kyc lending.KYCStatus) bool {
	return (l.status == "" || l.status == status) && (l.kyc == "" || l.kyc == kyc)
}

func (l listing) wantsCustomer(c *customer) bool {
	return l.wants(lending.CustomerStatus(strings.ToUpper(c.Status)), lending.KYCStatus(strings.ToUpper(c.KYCStatus)))
}

type pagination struct {
	Page       int `json:"page"`
	Limit      int `json:"limit"`
	Total      int `json:"total"`
	TotalPages int `json:"total_pages"`
}

func (t *Twin) listCustomers(w http.ResponseWriter, r *http.Request) {
	asked, problems := parseListing(r.URL.Query())
	if len(problems) > 0 {
		t.fail(w, http.StatusBadRequest, problems)
		return
	}
	page, total := t.page(asked)
	twin.WriteJSON(w, http.StatusOK, struct {
		Data       []customer `json:"data"`
		Pagination pagination `json:"pagination"`
	}{page, pagination{asked.page, asked.limit, total, (total + asked.limit - 1) / asked.limit}})
}

// page is the customers of one page, and how many there are on all. Only the page's own are computed whole.
func (t *Twin) page(asked listing) (page []customer, total int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	page = []customer{}
	from, everybody := (asked.page-1)*asked.limit, t.world.Size()+len(t.created)
	changed := t.changedOfWorld()
	if !asked.narrows() {
		for n := from; n < min(from+asked.limit, everybody); n++ {
			page = append(page, t.nth(n, changed))
		}
		return page, everybody
	}
	for n := range everybody {
		if !t.inList(n, asked, changed) {
			continue
		}
		if total >= from && total < from+asked.limit {
			page = append(page, t.nth(n, changed))
		}
		total++
	}
	return page, total
}

// nth is customer n of the list of all: the world's people, then those made here. The lock is held.
func (t *Twin) nth(n int, changed map[int]*customer) customer {
	if n >= t.world.Size() {
		return *t.created[n-t.world.Size()]
	}
	if c, ok := changed[n]; ok {
		return *c
	}
	person := t.world.Person(n)
	return customerOf(&person)
}

// inList reports whether customer n is asked for. The lock is held.
func (t *Twin) inList(n int, asked listing, changed map[int]*customer) bool {
	if n >= t.world.Size() {
		return asked.wantsCustomer(t.created[n-t.world.Size()])
	}
	if c, ok := changed[n]; ok {
		return asked.wantsCustomer(c)
	}
	return asked.wants(t.world.Standing(n))
}

// changedOfWorld are the world's people with something changed, by their number. The lock is held.
func (t *Twin) changedOfWorld() map[int]*customer {
	changed := map[int]*customer{}
	for id, c := range t.changed {
		if person, ok := t.world.ByKredeteID(id); ok {
			changed[person.Index] = c
		}
	}
	return changed
}

// verifyKYC is POST /__sandbox/customers/{id}/verify-kyc: the customer passes the check of identity, and a
// customer who waited for it is active.
func (t *Twin) verifyKYC(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := r.PathValue("id")
	found, ok := t.customer(id)
	if !ok {
		t.refuse(w, r, http.StatusNotFound)
		return
	}
	kept := t.changed[id]
	if kept == nil {
		kept = &found
		t.changed[id] = kept
	}
	kept.KYCStatus, kept.UpdatedAt = "verified", t.now()
	if kept.Status == "pending_kyc" {
		kept.Status = "active"
	}
	t.core.Effects.Record(twin.Effect{Operation: "customer.verify_kyc", Key: id, EntityID: id})
	t.publish("customer.kyc_verified", id, map[string]any{
		"customer_id": id, "kyc_status": kept.KYCStatus, "verified_at": kept.UpdatedAt,
	})
	twin.WriteJSON(w, http.StatusOK, *kept)
}

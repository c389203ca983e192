package store

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// customerRow is a customer's columns. Search is what text is found in: the name in lower case. E-mail address and
// phone number are sealed, and found by keyed hashes of all of them (see docs/adr/0019-blind-index.md).
type customerRow struct {
	bun.BaseModel `bun:"table:customers,alias:entry"`

	ID                      lending.CustomerID `bun:",pk"`
	FirstName               string
	LastName                string
	Email                   []byte `bun:"email_sealed"`
	EmailIndex              []byte
	Phone                   []byte `bun:"phone_sealed"`
	PhoneIndex              []byte
	UnsealedEmail           string `bun:"email"` // what the version before wrote; see SealRecords
	UnsealedPhone           string `bun:"phone"`
	DateOfBirth             string
	Gender                  lending.Gender
	Nationality             string
	Status                  lending.CustomerStatus
	ProviderStatus          string
	KYCStatus               lending.KYCStatus `bun:"kyc_status"`
	Address                 string
	Employment              string
	IdentificationType      lending.IdentificationType
	IdentificationNumber    []byte
	IdentificationExpiresOn string
	Search                  string
	CreatedAt               int64
	UpdatedAt               int64
}

func (s *Store) customerListing() listing[customerRow, *lending.Customer] {
	return listing[customerRow, *lending.Customer]{
		what: "customer", merged: true,
		order: order[customerRow]{
			name: "customers", key: "created_at", descending: true,
			place: func(r *customerRow) place { return place{r.CreatedAt, string(r.ID)} },
		},
		to: s.toCustomer,
	}
}

func emailCell(id lending.CustomerID) cell { return cell{"customers", "email_sealed", string(id)} }
func phoneCell(id lending.CustomerID) cell { return cell{"customers", "phone_sealed", string(id)} }
func identificationCell(id lending.CustomerID) cell {
	return cell{"customers", "identification_number", string(id)}
}

func (s *Store) fromCustomer(c *lending.Customer) (*customerRow, error) {
	e := encoder{vault: s.vault}
	row := &customerRow{
		ID: c.ID, FirstName: c.FirstName, LastName: c.LastName, DateOfBirth: c.DateOfBirth.String(),
		Gender: c.Gender, Nationality: c.Nationality, Status: c.Status, ProviderStatus: c.ProviderStatus,
		KYCStatus: c.KYCStatus, Address: e.json(c.Address), Employment: e.json(c.Employment),
		Search: searchText(c.FirstName, c.LastName), CreatedAt: micros(c.CreatedAt), UpdatedAt: micros(c.UpdatedAt),
	}
	s.sealEmail(row, c.Email)
	s.sealPhone(row, c.Phone)
	if card := c.Identification; card != nil {
		row.IdentificationType = card.Type
		row.IdentificationNumber = s.vault.seal(identificationCell(c.ID), []byte(card.Number))
		row.IdentificationExpiresOn = card.ExpiresOn.String()
	}
	return row, e.err
}

// sealEmail puts an e-mail address into a row, and leaves nothing of it in the clear. sealPhone does so with a
// phone number.
func (s *Store) sealEmail(row *customerRow, email string) {
	row.Email, row.EmailIndex = s.vault.seal(emailCell(row.ID), []byte(email)), s.vault.emailIndex(email)
	row.UnsealedEmail = ""
}

func (s *Store) sealPhone(row *customerRow, phone string) {
	row.Phone, row.PhoneIndex = s.vault.seal(phoneCell(row.ID), []byte(phone)), s.vault.phoneIndex(phone)
	row.UnsealedPhone = ""
}

// openContact is a value of a row that may stand there twice. What is in the clear was written later than what is
// sealed: this version empties those columns, and the one before does not know the others.
func (d *decoder) openContact(at cell, unsealed string, sealed []byte) string {
	if unsealed != "" {
		return unsealed
	}
	return string(d.open(at, sealed))
}

// searchText is what words of a search are found in.
func searchText(first, last string) string { return strings.ToLower(first + " " + last) }

func (s *Store) toCustomer(r *customerRow) (*lending.Customer, error) {
	d := decoder{vault: s.vault}
	c := &lending.Customer{
		ID: r.ID, FirstName: r.FirstName, LastName: r.LastName,
		DateOfBirth: d.date(r.DateOfBirth), Gender: r.Gender, Nationality: r.Nationality, Status: r.Status,
		ProviderStatus: r.ProviderStatus, KYCStatus: r.KYCStatus,
		CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}
	c.Email = d.openContact(emailCell(r.ID), r.UnsealedEmail, r.Email)
	c.Phone = d.openContact(phoneCell(r.ID), r.UnsealedPhone, r.Phone)
	d.json(r.Address, &c.Address)
	d.json(r.Employment, &c.Employment)
	if r.IdentificationType != "" || r.IdentificationNumber != nil {
		c.Identification = &lending.Identification{
			Type: r.IdentificationType, ExpiresOn: d.date(r.IdentificationExpiresOn),
			Number: string(d.open(identificationCell(r.ID), r.IdentificationNumber)),
		}
	}
	return c, d.err
}

// Customers implements service.CustomerStore.
func (s *Store) Customers(ctx context.Context, ids []lending.CustomerID) (map[lending.CustomerID]*lending.Customer, error) {
	return byIDs(ctx, s, s.customerListing(), ids, func(r *customerRow) lending.CustomerID { return r.ID })
}

// ListCustomers implements service.CustomerStore.
func (s *Store) ListCustomers(ctx context.Context, filter lending.CustomerFilter, page lending.PageRequest) (lending.Page[*lending.Customer], error) {
	narrow, err := s.customersMatching(filter)
	if err != nil {
		return lending.Page[*lending.Customer]{}, err
	}
	return list(ctx, s, s.customerListing(), page, narrow)
}

// CountCustomers implements service.CustomerStore.
func (s *Store) CountCustomers(ctx context.Context, filter lending.CustomerFilter) (int, error) {
	narrow, err := s.customersMatching(filter)
	if err != nil {
		return 0, err
	}
	return count(ctx, s, s.customerListing(), narrow)
}

// SaveCustomer implements service.CustomerStore.
func (s *Store) SaveCustomer(ctx context.Context, customer *lending.Customer) error {
	row, err := s.fromCustomer(customer)
	if err != nil {
		return failure("save customer", err)
	}
	return s.write(ctx, "save customer", "", func(ctx context.Context) error {
		_, err := s.writing(ctx).NewInsert().Model(row).On("CONFLICT (id) DO UPDATE").Exec(ctx)
		return err
	})
}

// maxSearchWords bounds what one search costs: each word is one pass over the text of every customer.
const maxSearchWords = 8

// likeEscapes takes the special meaning from the characters that LIKE knows.
var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// customersMatching keeps the customers that a filter matches. Each term of the search has to be found.
func (s *Store) customersMatching(f lending.CustomerFilter) (narrowing, error) {
	if len(strings.Fields(f.Search)) > maxSearchWords || strings.ContainsRune(f.Search, 0) {
		return nil, lending.Invalid(lending.Problem{
			Kind: lending.KindValidation, Field: []string{"filter", "search"},
			Message: "Search for at most eight words, without control characters.",
		})
	}
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		q = equal(among(among(q, "status", f.Status), "kyc_status", f.KYCStatus), "id", f.Only)
		for _, term := range terms(f.Search) {
			q = s.vault.matching(q, term)
		}
		for _, provider := range f.Linked {
			q = q.Where("EXISTS (SELECT 1 FROM identities AS i WHERE i.customer_id = entry.id AND i.provider = ?)", provider)
		}
		return q
	}, nil
}

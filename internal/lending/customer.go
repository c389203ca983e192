package lending

import "time"

// Gender is what a customer is registered as.
type Gender string

// The genders that providers know.
const (
	Female        Gender = "FEMALE"
	Male          Gender = "MALE"
	GenderOther   Gender = "OTHER"
	GenderUnknown Gender = "UNKNOWN"
)

// Valid reports whether g is a known value.
func (g Gender) Valid() bool { return g == Female || g == Male || g == GenderOther }

// CustomerStatus is where a customer stands with the lender.
type CustomerStatus string

// The customer statuses.
const (
	CustomerPendingKYC CustomerStatus = "PENDING_KYC"
	CustomerActive     CustomerStatus = "ACTIVE"
	CustomerSuspended  CustomerStatus = "SUSPENDED"
	CustomerBlocked    CustomerStatus = "BLOCKED"
	CustomerUnknown    CustomerStatus = "UNKNOWN"
)

// Valid reports whether s is a known value.
func (s CustomerStatus) Valid() bool {
	switch s {
	case CustomerPendingKYC, CustomerActive, CustomerSuspended, CustomerBlocked:
		return true
	}
	return false
}

// KYCStatus is how far the check of a customer's identity has come.
type KYCStatus string

// The KYC statuses.
const (
	KYCNotStarted KYCStatus = "NOT_STARTED"
	KYCInProgress KYCStatus = "IN_PROGRESS"
	KYCVerified   KYCStatus = "VERIFIED"
	KYCFailed     KYCStatus = "FAILED"
	KYCUnknown    KYCStatus = "UNKNOWN"
)

// Valid reports whether s is a known value.
func (s KYCStatus) Valid() bool {
	switch s {
	case KYCNotStarted, KYCInProgress, KYCVerified, KYCFailed:
		return true
	}
	return false
}

// EmploymentStatus is how a customer earns a living.
type EmploymentStatus string

// The employment statuses.
const (
	Employed          EmploymentStatus = "EMPLOYED"
	SelfEmployed      EmploymentStatus = "SELF_EMPLOYED"
	Unemployed        EmploymentStatus = "UNEMPLOYED"
	Student           EmploymentStatus = "STUDENT"
	Retired           EmploymentStatus = "RETIRED"
	EmploymentUnknown EmploymentStatus = "UNKNOWN"
)

// Valid reports whether s is a known value.
func (s EmploymentStatus) Valid() bool {
	switch s {
	case Employed, SelfEmployed, Unemployed, Student, Retired:
		return true
	}
	return false
}

// IdentificationType is the kind of an identity document.
type IdentificationType string

// The identity documents.
const (
	NIN                   IdentificationType = "NIN" // Nigeria's national identification number, 11 digits
	BVN                   IdentificationType = "BVN" // Nigeria's bank verification number, 11 digits
	Passport              IdentificationType = "PASSPORT"
	DriversLicence        IdentificationType = "DRIVERS_LICENCE"
	VotersCard            IdentificationType = "VOTERS_CARD"
	PAN                   IdentificationType = "PAN"     // India's permanent account number
	Aadhaar               IdentificationType = "AADHAAR" // India's 12-digit identity number
	IdentificationUnknown IdentificationType = "UNKNOWN"
)

// Valid reports whether t is a known value.
func (t IdentificationType) Valid() bool {
	switch t {
	case NIN, BVN, Passport, DriversLicence, VotersCard, PAN, Aadhaar:
		return true
	}
	return false
}

// Identification is one identity document. Number is a personal identifier: encrypted at rest, masked
// on the way out, never logged.
type Identification struct {
	Private
	Type      IdentificationType `json:"type"`
	Number    string             `json:"number"`
	ExpiresOn Date               `json:"expiresOn,omitzero"`
}

// Address is a postal address. Country is an ISO 3166-1 alpha-2 code.
type Address struct {
	Private
	Street     string `json:"street,omitempty"`
	City       string `json:"city,omitempty"`
	State      string `json:"state,omitempty"`
	Country    string `json:"country,omitempty"`
	PostalCode string `json:"postalCode,omitempty"`
}

// Employment is how a customer earns a living.
type Employment struct {
	Private
	Status        EmploymentStatus `json:"status,omitempty"`
	Employer      string           `json:"employer,omitempty"`
	JobTitle      string           `json:"jobTitle,omitempty"`
	MonthlyIncome *Money           `json:"monthlyIncome,omitempty"`
	Since         Date             `json:"since,omitzero"`
}

// Customer is a person to whom money may be lent, as this service knows them: what we were told when
// the customer was made or imported, overlaid by what the provider's profile says today.
type Customer struct {
	Private
	ID             CustomerID
	FirstName      string
	LastName       string
	Email          string // personal: encrypted at rest
	Phone          string // E.164; personal: encrypted at rest
	DateOfBirth    Date
	Gender         Gender
	Nationality    string // ISO 3166-1 alpha-2
	Status         CustomerStatus
	ProviderStatus string // the provider's own word for Status
	KYCStatus      KYCStatus
	Address        *Address
	Employment     *Employment
	Identification *Identification // personal: encrypted at rest
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// FullName is first and last name with one space between, or the one that there is.
func (c *Customer) FullName() string {
	switch {
	case c.FirstName == "":
		return c.LastName
	case c.LastName == "":
		return c.FirstName
	}
	return c.FirstName + " " + c.LastName
}

// Identity is who a customer is at one provider: a Kredete or Carbon customer id, a Kredmint username
// (mobile number), a OnePipe customer_ref, the BVN for the bureau (TrustDecision).
type Identity struct {
	Private
	CustomerID CustomerID
	Provider   Provider
	ExternalID string // personal: encrypted at rest
	LinkedAt   time.Time
}

// Profile is what a provider knows of a customer's person.
type Profile struct {
	Private
	ExternalID     string         `json:"externalId"`
	FirstName      string         `json:"firstName"`
	LastName       string         `json:"lastName"`
	Email          string         `json:"email"`
	Phone          string         `json:"phone"` // E.164
	Status         CustomerStatus `json:"status"`
	ProviderStatus string         `json:"providerStatus"`
	KYCStatus      KYCStatus      `json:"kycStatus"`
	CreatedAt      time.Time      `json:"createdAt"`
	UpdatedAt      time.Time      `json:"updatedAt"`
}

// CreditLineState is whether a customer can draw on a credit line.
type CreditLineState string

// The states of a credit line.
const (
	LineIncomplete CreditLineState = "INCOMPLETE_PROFILE" // the customer has to finish signing up
	LineActive     CreditLineState = "ACTIVE"
	LineUnknown    CreditLineState = "UNKNOWN"
)

// Valid reports whether s is a known value.
func (s CreditLineState) Valid() bool { return s == LineIncomplete || s == LineActive }

// CreditLine is a revolving limit that a provider grants a customer.
type CreditLine struct {
	Private
	Provider      Provider        `json:"provider"`
	State         CreditLineState `json:"state"`
	ProviderState string          `json:"providerState"`
	Limit         *Money          `json:"limit"`
	Available     *Money          `json:"available"`
	Outstanding   *Money          `json:"outstanding"`
	// UserID is the provider's own id of the user, where it tells it.
	UserID string `json:"userId"`
	// ApplyURL is where the customer signs up or draws. It holds no secret of the session.
	ApplyURL string `json:"applyUrl"`
}

// CustomerFilter narrows a list of customers. Each empty field does not narrow.
type CustomerFilter struct {
	Private
	Only      CustomerID // this customer alone
	Status    []CustomerStatus
	KYCStatus []KYCStatus
	// Search finds each of its words anywhere in the name, without regard to case; e-mail addresses and phone
	// numbers as a whole.
	Search string
	// Linked keeps customers who have an identity at all of these providers.
	Linked []Provider
}

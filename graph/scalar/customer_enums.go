package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var genders = enum[lending.Gender]{name: "Gender", values: []lending.Gender{
	lending.Female, lending.Male, lending.GenderOther, lending.GenderUnknown,
}}

// MarshalGender writes the enum Gender.
func MarshalGender(v lending.Gender) graphql.Marshaler { return genders.marshal(v) }

// UnmarshalGender reads the enum Gender.
func UnmarshalGender(v any) (lending.Gender, error) { return genders.unmarshal(v) }

var customerStatuses = enum[lending.CustomerStatus]{name: "CustomerStatus", values: []lending.CustomerStatus{
	lending.CustomerPendingKYC, lending.CustomerActive, lending.CustomerSuspended,
	lending.CustomerBlocked, lending.CustomerUnknown,
}}

// MarshalCustomerStatus writes the enum CustomerStatus.
func MarshalCustomerStatus(v lending.CustomerStatus) graphql.Marshaler {
	return customerStatuses.marshal(v)
}

// UnmarshalCustomerStatus reads the enum CustomerStatus.
func UnmarshalCustomerStatus(v any) (lending.CustomerStatus, error) {
	return customerStatuses.unmarshal(v)
}

var kycStatuses = enum[lending.KYCStatus]{name: "KycStatus", values: []lending.KYCStatus{
	lending.KYCNotStarted, lending.KYCInProgress, lending.KYCVerified, lending.KYCFailed,
	lending.KYCUnknown,
}}

// MarshalKycStatus writes the enum KycStatus.
func MarshalKycStatus(v lending.KYCStatus) graphql.Marshaler { return kycStatuses.marshal(v) }

// UnmarshalKycStatus reads the enum KycStatus.
func UnmarshalKycStatus(v any) (lending.KYCStatus, error) { return kycStatuses.unmarshal(v) }

var employmentStatuses = enum[lending.EmploymentStatus]{name: "EmploymentStatus", values: []lending.EmploymentStatus{
	lending.Employed, lending.SelfEmployed, lending.Unemployed, lending.Student, lending.Retired,
	lending.EmploymentUnknown,
}}

// MarshalEmploymentStatus writes the enum EmploymentStatus.
func MarshalEmploymentStatus(v lending.EmploymentStatus) graphql.Marshaler {
	return employmentStatuses.marshal(v)
}

// UnmarshalEmploymentStatus reads the enum EmploymentStatus.
func UnmarshalEmploymentStatus(v any) (lending.EmploymentStatus, error) {
	return employmentStatuses.unmarshal(v)
}

var identificationTypes = enum[lending.IdentificationType]{name: "IdentificationType", values: []lending.IdentificationType{
	lending.NIN, lending.BVN, lending.Passport, lending.DriversLicence, lending.VotersCard, lending.PAN,
	lending.Aadhaar, lending.IdentificationUnknown,
}}

// MarshalIdentificationType writes the enum IdentificationType.
func MarshalIdentificationType(v lending.IdentificationType) graphql.Marshaler {
	return identificationTypes.marshal(v)
}

// UnmarshalIdentificationType reads the enum IdentificationType.
func UnmarshalIdentificationType(v any) (lending.IdentificationType, error) {
	return identificationTypes.unmarshal(v)
}

var consentChannels = enum[lending.ConsentChannel]{name: "ConsentChannel", values: []lending.ConsentChannel{
	lending.ConsentApp, lending.ConsentWeb, lending.ConsentUSSD, lending.ConsentBranch,
	lending.ConsentPhone, lending.ConsentPaper, lending.ConsentUnknown,
}}

// MarshalConsentChannel writes the enum ConsentChannel.
func MarshalConsentChannel(v lending.ConsentChannel) graphql.Marshaler {
	return consentChannels.marshal(v)
}

// UnmarshalConsentChannel reads the enum ConsentChannel.
func UnmarshalConsentChannel(v any) (lending.ConsentChannel, error) {
	return consentChannels.unmarshal(v)
}

var supplierStatuses = enum[lending.SupplierStatus]{name: "SupplierStatus", values: []lending.SupplierStatus{
	lending.SupplierPending, lending.SupplierUnknown,
}}

// MarshalSupplierStatus writes the enum SupplierStatus.
func MarshalSupplierStatus(v lending.SupplierStatus) graphql.Marshaler {
	return supplierStatuses.marshal(v)
}

// UnmarshalSupplierStatus reads the enum SupplierStatus.
func UnmarshalSupplierStatus(v any) (lending.SupplierStatus, error) {
	return supplierStatuses.unmarshal(v)
}

var documentKinds = enum[lending.DocumentKind]{name: "DocumentKind", values: []lending.DocumentKind{
	lending.InvoiceDocument, lending.FinancialDataDocument, lending.DocumentUnknown,
}}

// MarshalDocumentKind writes the enum DocumentKind.
func MarshalDocumentKind(v lending.DocumentKind) graphql.Marshaler { return documentKinds.marshal(v) }

// UnmarshalDocumentKind reads the enum DocumentKind.
func UnmarshalDocumentKind(v any) (lending.DocumentKind, error) { return documentKinds.unmarshal(v) }

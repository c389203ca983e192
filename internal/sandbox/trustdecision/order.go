package trustdecision

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// maxExt is the most bytes of an ext.
const maxExt = 1 << 10

// orderRequest is the body of STEP 1.
type orderRequest struct {
	credentials
	IDNumber string          `json:"id_number"`
	IDType   string          `json:"id_type"`
	Country  string          `json:"country"`
	Phone    string          `json:"phone_number"`
	Name     string          `json:"name"`
	Ext      json.RawMessage `json:"ext"`
}

// takeOrder is STEP 1: it takes an order and lets the report follow.
func (t *Twin) takeOrder(w http.ResponseWriter, r *http.Request) {
	var in orderRequest
	body, err := twin.ReadJSON(r, &in)
	if err != nil {
		t.refuseBody(w, err)
		return
	}
	state := t.state()
	if !t.admit(w, r, in.credentials) {
		return
	}
	if state.Code != 0 {
		t.refuse(w, state.Code, messageOf(state.Code))
		return
	}
	if !t.checkOrder(w, &in) {
		return
	}
	o := order{
		id: t.sequenceID(), at: t.options.Clock(), bvn: in.IDNumber, name: in.Name, ext: in.Ext,
		failing: state.PushCode != 0,
	}
	t.mu.Lock()
	t.orders[o.id] = o
	t.mu.Unlock()
	t.core.Effects.Record(twin.Effect{
		Operation: "report.order", Key: twin.Fingerprint(in.Ext), EntityID: o.id, Fingerprint: twin.Fingerprint(body),
	})
	t.push(o)
	twin.WriteJSON(w, http.StatusOK, receipt{Code: codeSuccess, Message: messageOf(codeSuccess), SequenceID: o.id})
}

func (t *Twin) state() account {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.account
}

func (t *Twin) checkOrder(w http.ResponseWriter, in *orderRequest) bool {
	if !t.check(w,
		parameter{"id_number", in.IDNumber, digits(11, 11)},
		parameter{"id_type", in.IDType, is("bvn")},
		parameter{"country", in.Country, is("NG")},
		parameter{"phone_number", in.Phone, digits(5, 15)},
		parameter{"name", in.Name, nil},
	) {
		return false
	}
	if bytes.Equal(in.Ext, []byte("null")) {
		in.Ext = nil
	}
	if in.Ext != nil && (in.Ext[0] != '{' || len(in.Ext) > maxExt) {
		t.refuse(w, codeError, "ext error")
		return false
	}
	return true
}

// answerBackup is the backup query: the same answer as the push, for those who missed it.
func (t *Twin) answerBackup(w http.ResponseWriter, r *http.Request) {
	var in struct {
		credentials
		SequenceID string `json:"sequence_id"`
	}
	if _, err := twin.ReadJSON(r, &in); err != nil {
		t.refuseBody(w, err)
		return
	}
	if !t.admit(w, r, in.credentials) {
		return
	}
	t.mu.Lock()
	o, known := t.orders[in.SequenceID]
	t.mu.Unlock()
	if !t.check(w, parameter{"sequence_id", in.SequenceID, func(string) bool { return known }}) {
		return
	}
	if code := t.backupCode(o); code != 0 {
		twin.WriteJSON(w, http.StatusOK, receipt{Code: code, Message: messageOf(code), SequenceID: o.id})
		return
	}
	twin.WriteJSON(w, http.StatusOK, t.outcome(o))
}

// backupCode is what the backup query answers instead of a report, 0 where it answers the report.
func (t *Twin) backupCode(o order) int {
	age := t.options.Clock().Sub(o.at)
	switch code := t.state().BackupCode; {
	case code != 0:
		return code
	case age < t.options.Delay:
		return codeInProgress
	case age > window:
		return codeTooLate
	}
	return 0
}

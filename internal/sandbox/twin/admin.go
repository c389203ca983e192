package twin

import "net/http"

func (c *Core) registerAdmin() {
	c.HandleAdmin("GET /__sandbox/faults", func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, map[string]any{"faults": c.Faults.List()})
	})
	c.HandleAdmin("DELETE /__sandbox/faults", func(w http.ResponseWriter, _ *http.Request) {
		c.Faults.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	c.HandleAdmin("POST /__sandbox/faults", c.addFault)
	c.HandleAdmin("GET /__sandbox/effects", func(w http.ResponseWriter, r *http.Request) {
		WriteJSON(w, http.StatusOK, map[string]any{"effects": c.Effects.List(r.FormValue("operation"))})
	})
	c.HandleAdmin("GET /__sandbox/calls", func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, map[string]any{"calls": c.Calls.Counts()})
	})
	c.HandleAdmin("POST /__sandbox/reset-counts", func(w http.ResponseWriter, _ *http.Request) {
		c.Effects.reset()
		c.Calls.reset()
		w.WriteHeader(http.StatusNoContent)
	})
	c.HandleAdmin("GET /__sandbox/webhooks", func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, c.Sender.Stats())
	})
	c.HandleAdmin("POST /__sandbox/webhooks/flush", func(w http.ResponseWriter, r *http.Request) {
		if err := c.Sender.Flush(r.Context()); err != nil {
			AdminError(w, http.StatusServiceUnavailable, err)
			return
		}
		WriteJSON(w, http.StatusOK, c.Sender.Stats())
	})
	c.HandleAdmin("POST /__sandbox/plan", c.choosePlan)
}

func (c *Core) addFault(w http.ResponseWriter, r *http.Request) {
	var rule Rule
	if _, err := ReadJSON(r, &rule); err != nil {
		AdminError(w, http.StatusBadRequest, err)
		return
	}
	added, err := c.Faults.Add(rule)
	if err != nil {
		AdminError(w, http.StatusBadRequest, err)
		return
	}
	WriteJSON(w, http.StatusCreated, added)
}

func (c *Core) choosePlan(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Plan string `json:"plan"`
	}
	if _, err := ReadJSON(r, &wanted); err != nil {
		AdminError(w, http.StatusBadRequest, err)
		return
	}
	if err := c.limiter.choose(wanted.Plan); err != nil {
		AdminError(w, http.StatusNotFound, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// AdminError answers a call of the sandbox's own endpoints with {"error": "…"}.
func AdminError(w http.ResponseWriter, status int, err error) {
	WriteJSON(w, status, map[string]string{"error": err.Error()})
}

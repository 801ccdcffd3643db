"""The band: players, roles, controls, the event model, planning and commitment."""

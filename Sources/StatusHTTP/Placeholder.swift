// StatusHTTP

"""The Cloudflare API v4, as far as wrangler and the SDKs need it here."""

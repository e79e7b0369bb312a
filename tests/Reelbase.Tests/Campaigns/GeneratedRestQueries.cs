namespace Reelbase.Tests.Campaigns;

/// <summary>A request to a table that chance has put together: most are right, some are nearly, some mean harm.</summary>
internal sealed record GeneratedRestQuery(string Method, string PathAndQuery, string? Body, Dictionary<string, string> Headers)
{
    private static readonly Dictionary<string, string[]> Tables = new()
    {
        ["models"] = ["id", "name", "category", "cost_per_generation", "required_fields", "is_featured", "sunset_at", "is_active", "is_available"],
        ["themes"] = ["id", "name", "description", "prompt", "is_featured", "default_settings", "created_at"],
        ["products"] = ["product_id", "credits", "grants_tier", "is_active"],
        ["video_jobs"] = ["job_id", "user_id", "model_id", "prompt", "settings", "status", "video_url", "thumbnail_url", "credits_used", "created_at"],
        ["users"] = ["id", "email", "apple_sub", "is_guest", "tier", "credits_remaining", "language", "theme_preference", "created_at"],
        ["quota_log"] = ["id", "seq", "user_id", "job_id", "change", "reason", "balance_after", "created_at"],
        ["storage_objects"] = ["id", "bucket", "user_id", "size_bytes", "state"],
    };

    /// <summary>What there is and nobody may see, and what there is not.</summary>
    private static readonly string[] HiddenTables =
    [
        "sessions",
        "refresh_tokens",
        "device_checks",
        "admin_credentials",
        "error_log",
        "purchases",
        "idempotency_log",
        "pg_authid",
        "pg_class",
        "no_such_table",
        "users; drop table users",
        "users\"",
        "reelbase.schema_files",
        "*",
        "rpc/delete_account",
        "admin_actions",
    ];

    private static readonly string[] HiddenColumns =
    [
        "provider_model_id",
        "provider_cost",
        "provider_job_id",
        "error_message",
        "is_admin",
        "token_hash",
        "xmin",
        "ctid",
        "tableoid",
        "users",
        "no_such",
        "\"; drop table users; --",
    ];

    private static readonly string[] Operators =
    [
        "eq",
        "neq",
        "gt",
        "gte",
        "lt",
        "lte",
        "like",
        "ilike",
        "match",
        "imatch",
        "in",
        "is",
        "isdistinct",
        "cs",
        "cd",
        "ov",
        "sl",
        "sr",
        "nxr",
        "nxl",
        "adj",
        "fts",
        "plfts",
        "phfts",
        "wfts",
        "fts(english)",
        "eq(any)",
        "like(all)",
        "gt(any)",
        "bogus",
        "",
    ];

    private static readonly string[] Values =
    [
        "1",
        "0",
        "-1",
        "true",
        "null",
        "not_null",
        "completed",
        "a",
        "*a*",
        "%",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "infinity",
        "00000000-0000-4000-8000-000000000000",
        "(1,2,3)",
        "(\"a\",\"b,c\")",
        "{1,2}",
        "{a}",
        "[1,2]",
        "{\"a\":1}",
        "99999999999999999999999999",
        "1e400",
        "' or '1'='1",
        "'; drop table users; --",
        "$1",
        "\\",
        "\"",
        "{{{{",
        "(((((((((((((",
        "(a+)+$",
        "(?=x)((((",
        "\u0000",
        "\ud83d\ude00",
        "ş",
        "",
        "current_user",
        "pg_sleep(10)",
        "a & b",
        "a &",
        "!",
        "\u202e",
        "{\"\\u0000\":1}",
        "NaN",
        "0x10",
        "(select 1)",
    ];

    private static readonly string[] Embeds =
    [
        "models(name)",
        "models!inner(name)",
        "...models(model:name)",
        "users(id,email)",
        "video_jobs(prompt)",
        "video_jobs!inner(*)",
        "quota_log(*)",
        "quota_log(change,video_jobs(prompt,users(*)))",
        "sessions(*)",
        "themes(name)",
        "m:models!video_jobs_model_id_fkey(*)",
        "models!nope(*)",
        "purchases(*)",
        "models()",
        "storage_objects(name)",
        "count()",
        "id.count()",
    ];

    private static readonly string[] Prefers =
    [
        "count=exact",
        "count=planned",
        "count=estimated",
        "return=representation",
        "return=minimal",
        "return=headers-only",
        "resolution=merge-duplicates",
        "resolution=ignore-duplicates",
        "handling=strict",
        "handling=strict, max-affected=1",
        "missing=default",
        "timezone=Europe/Istanbul",
        "tx=rollback",
        "nonsense=1, handling=strict",
    ];

    private static readonly string[] Accepts =
    [
        "application/json",
        "*/*",
        "application/vnd.pgrst.object+json",
        "application/vnd.pgrst.object+json;nulls=stripped",
        "application/vnd.pgrst.array+json;nulls=stripped",
        "text/csv",
        "text/html",
        "application/vnd.pgrst.plan+json",
    ];

    private static readonly string[] Bodies =
    [
        "{}",
        "[]",
        "{\"language\":\"tr\"}",
        "{\"theme_preference\":\"dark\"}",
        "{\"credits_remaining\":1000000}",
        "{\"is_admin\":true,\"language\":\"en\"}",
        "[{\"id\":1},{\"id\":2}]",
        "[{\"id\":1},{\"name\":2}]",
        "not json",
        "",
        "null",
        "1",
        "{\"user_id\":\"00000000-0000-4000-8000-000000000000\",\"prompt\":\"free\",\"status\":\"completed\"}",
        "[[]]",
        "{\"language\":{\"a\":[1]}}",
        "{\"language\":\"\\u0000\"}",
        "{\"\\\"; drop table users; --\":1}",
        "{\"id\":\"\\ud800\"}",
        "{\"tier\":\"premium\"}",
    ];

    /// <summary>The next one; <paramref name="foreign"/> is somebody else's id, which is asked for now and then.</summary>
    public static GeneratedRestQuery Next(Random random, Guid own, Guid foreign)
    {
        if (random.Next(3) == 0)
        {
            return Plain(random, own);
        }
        var isHidden = random.Next(12) == 0;
        var table = isHidden ? Pick(random, HiddenTables) : Pick(random, [.. Tables.Keys]);
        var columns = isHidden ? ["id"] : Tables[table];
        var parameters = new List<string>();
        if (random.Next(4) > 0)
        {
            var items = Enumerable.Range(0, random.Next(1, 5)).Select(_ => Item(random, columns));
            parameters.Add("select=" + Escape(random, string.Join(',', items)));
        }
        for (var count = random.Next(0, 4); count > 0; count--)
        {
            parameters.Add(Escape(random, Column(random, columns)) + "=" + Escape(random, Test(random, own, foreign)));
        }
        if (random.Next(5) == 0)
        {
            parameters.Add(Pick(random, ["or", "and", "not.or", "not.and", "models.or"]) + "=" + Escape(random, Tree(random, columns, own, foreign, 0)));
        }
        if (random.Next(4) == 0)
        {
            parameters.Add(
                "order=" + Escape(random, Column(random, columns) + Pick(random, ["", ".asc", ".desc", ".desc.nullslast", ".sideways", ".nullsfirst"]))
            );
        }
        if (random.Next(4) == 0)
        {
            parameters.Add(Pick(random, ["limit", "offset", "models.limit"]) + "=" + Pick(random, ["1", "0", "-1", "10", "99999999999999999999", "x", ""]));
        }
        var method = random.Next(4) > 0 ? "GET" : Pick(random, ["HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "PURGE"]);
        if (method is "POST" or "PATCH" && random.Next(4) == 0)
        {
            parameters.Add(Pick(random, ["columns=", "on_conflict="]) + Escape(random, Pick(random, [.. columns, .. HiddenColumns])));
        }
        var headers = new Dictionary<string, string>();
        Maybe(random, 3, () => headers["Prefer"] = Pick(random, Prefers));
        Maybe(random, 4, () => headers["Accept"] = Pick(random, Accepts));
        Maybe(random, 10, () => headers["Range"] = Pick(random, ["0-0", "0-9", "5-1", "9999999999999999999-", "x"]));
        Maybe(random, 20, () => headers["Accept-Profile"] = Pick(random, ["public", "auth", "reelbase"]));
        var body = method is "POST" or "PATCH" or "PUT" ? Pick(random, Bodies) : null;
        return new(method, Uri.EscapeDataString(table).Replace("%2F", "/", StringComparison.Ordinal) + "?" + string.Join('&', parameters), body, headers);
    }

    /// <summary>What apps ask every day: nothing about it is wrong, for a caller who may see the table.</summary>
    private static GeneratedRestQuery Plain(Random random, Guid own)
    {
        var table = Pick(random, [.. Tables.Keys]);
        var columns = Tables[table];
        var parameters = new List<string> { "select=" + string.Join(',', columns.Where(_ => random.Next(2) == 0).DefaultIfEmpty("*")) };
        Maybe(random, 2, () => parameters.Add(Pick(random, columns) + Pick(random, ["=is.null", "=not.is.null"])));
        Maybe(
            random,
            2,
            () => parameters.Add("order=" + Pick(random, [.. columns.Where(column => !column.EndsWith("_url", StringComparison.Ordinal))]) + ".desc")
        );
        Maybe(random, 2, () => parameters.Add("limit=" + random.Next(1, 20)));
        if (columns.Contains("user_id"))
        {
            Maybe(random, 2, () => parameters.Add("user_id=eq." + own));
        }
        if (table == "users")
        {
            Maybe(random, 2, () => parameters.Add("id=neq." + own));
        }
        var headers = new Dictionary<string, string>();
        Maybe(random, 3, () => headers["Prefer"] = Pick(random, ["count=exact", "count=planned", "count=estimated"]));
        return new("GET", table + "?" + string.Join('&', parameters), null, headers);
    }

    private static string Item(Random random, string[] columns) =>
        random.Next(10) switch
        {
            0 => "*",
            1 => Pick(random, Embeds),
            2 => "alias:" + Column(random, columns),
            3 => Column(random, columns) + "::" + Pick(random, ["text", "int", "jsonb", "regclass", "bogus", "timestamptz"]),
            4 => Column(random, columns) + Pick(random, ["->a", "->>a", "->0->>b", "->>-1", "->>--1"]),
            _ => Column(random, columns),
        };

    private static string Column(Random random, string[] columns) => random.Next(12) == 0 ? Pick(random, HiddenColumns) : Pick(random, columns);

    private static string Test(Random random, Guid own, Guid foreign) =>
        (random.Next(5) == 0 ? "not." : "")
        + Pick(random, Operators)
        + "."
        + random.Next(8) switch
        {
            0 => own.ToString(),
            1 => foreign.ToString(),
            _ => Pick(random, Values),
        };

    private static string Tree(Random random, string[] columns, Guid own, Guid foreign, int depth) =>
        "("
        + string.Join(
            ',',
            Enumerable
                .Range(0, random.Next(0, 4))
                .Select(_ =>
                    depth < 12 && random.Next(4) == 0
                        ? Pick(random, ["and", "or", "not.and", "xor"]) + Tree(random, columns, own, foreign, depth + 1)
                        : Column(random, columns) + "." + Test(random, own, foreign)
                )
        )
        + ")";

    private static string Escape(Random random, string text)
    {
        try
        {
            return random.Next(20) == 0 ? Uri.EscapeDataString(text).Replace("%2", "%", StringComparison.Ordinal) : Uri.EscapeDataString(text);
        }
        catch (UriFormatException)
        {
            return "%ED%A0%80";
        }
    }

    private static void Maybe(Random random, int oneIn, Action act)
    {
        if (random.Next(oneIn) == 0)
        {
            act();
        }
    }

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>A refusal in the words that clients of PostgREST know. This endpoint is the only one where they, and texts of the database, go out.</summary>
internal sealed class RestError(int status, string code, string message, JsonNode? details = null, string? hint = null, Exception? inner = null)
    : Exception(message, inner)
{
    public int Status => status;

    public string Code => code;

    /// <summary>Whether a catalogue that was read anew may know better.</summary>
    public bool MayBeStale => code is "PGRST200" or "PGRST204" or "PGRST205" or "PGRST108" or "42703";

    public byte[] Body() =>
        JsonSerializer.SerializeToUtf8Bytes(
            new JsonObject
            {
                ["code"] = code,
                ["details"] = details?.DeepClone(),
                ["hint"] = hint,
                ["message"] = Message,
            },
            Platform.Http.Json.Options
        );

    public static RestError Unreadable(string message, string details) => new(400, "PGRST100", message, details);

    public static RestError TooMuch(string what) => new(400, "PGRST100", "The request is larger than this server takes", what);

    public static RestError Body(string message) => new(400, "PGRST102", message);

    public static RestError Range(string details) => new(416, "PGRST103", "Requested range not satisfiable", details);

    public static RestError NotEmbedded(string name) =>
        new(
            400,
            "PGRST108",
            $"'{name}' is not an embedded resource in this request",
            null,
            $"Verify that '{name}' is included in the 'select' query parameter."
        );

    public static RestError NotOffered(string details) => new(400, "PGRST127", "Feature not implemented", details);

    public static RestError NotSingle(long rows) =>
        new(406, "PGRST116", "Cannot coerce the result to a single JSON object", $"The result contains {rows} rows");

    public static RestError NoTable(string schema, string name, string? similar) =>
        new(
            404,
            "PGRST205",
            $"Could not find the table '{schema}.{name}' in the schema cache",
            null,
            similar is null ? null : $"Perhaps you meant the table '{schema}.{similar}'"
        );

    public static RestError NoColumn(string table, string column) =>
        new(400, "PGRST204", $"Could not find the '{column}' column of '{table}' in the schema cache");

    public static RestError UndefinedColumn(string table, string column, string? hint) =>
        new(400, "42703", $"column {table}.{column} does not exist", null, hint);

    public static RestError Denied(Caller caller, string message, string? hint = null) => new(Forbidden(caller), "42501", message, null, hint);

    /// <summary>What PostgreSQL said, with the status that PostgREST gives it.</summary>
    public static RestError From(PostgresException error, Caller caller)
    {
        if (error.SqlState == "RB001")
        {
            var known = new ApiException(error.MessageText, null);
            return new(known.Status, error.MessageText, ErrorCatalog.Find(error.MessageText).Message("en"));
        }
        var status = error.SqlState switch
        {
            "23503" or "23505" => 409,
            "25006" => 405,
            "21000" => error.MessageText.EndsWith("requires a WHERE clause", StringComparison.Ordinal) ? 400 : 500,
            "22023" => 400,
            "42883" or "42P01" => 404,
            "42P17" => 500,
            "42501" => Forbidden(caller),
            // Stopped by the limit of time; not 503, which clients would repeat.
            "57014" => 504,
            "P0001" => 400,
            "53400" => 500,
            ['0', '8', ..] or ['5', '3', ..] or "57P01" or "57P02" or "57P03" or "40001" or "40P01" => 503,
            // A query too complex is the caller's own.
            ['5', '4', ..] => 400,
            ['0', 'L', ..] or ['0', 'P', ..] or ['2', '8', ..] => 403,
            ['0', '9', ..] or ['2', '5', ..] or ['2', 'D', ..] or ['3', '8', ..] or ['3', '9', ..] or ['3', 'B', ..] or ['4', '0', ..] => 500,
            ['5', '5', ..] or ['5', '7', ..] or ['5', '8', ..] or ['F', '0', ..] or ['H', 'V', ..] or ['P', '0', ..] or ['X', 'X', ..] => 500,
            _ => 400,
        };
        // Rows and keys in the details are cut by PostgreSQL itself to what the role may read.
        return new(status, error.SqlState, error.MessageText, error.Detail, error.Hint);
    }

    private static int Forbidden(Caller caller) => caller.Role == "anon" ? 401 : 403;
}

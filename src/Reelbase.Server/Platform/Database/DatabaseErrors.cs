using System.Text.Json;
using Npgsql;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Platform.Database;

/// <summary>The one place where what PostgreSQL says becomes an error of the catalogue.</summary>
public static class DatabaseErrors
{
    /// <summary>The catalogue's error for a database exception. Texts of the database never reach a caller.</summary>
    public static ApiException Translate(NpgsqlException error) =>
        error switch
        {
            PostgresException { SqlState: "RB001" } raised => new ApiException(raised.MessageText, Details(raised.Hint)),
            // Overload, shutdown, recovery, lost connections, lock timeouts, deadlocks: pass with time.
            PostgresException { IsTransient: true } => new ApiException("ERR_6001", null, error),
            PostgresException { SqlState: "57014" or "57P01" or "57P02" or "57P03" } => new ApiException("ERR_6001", null, error),
            PostgresException => new ApiException("ERR_6003", null, error),
            _ => new ApiException("ERR_6001", null, error),
        };

    private static JsonElement? Details(string? hint) => string.IsNullOrEmpty(hint) ? null : JsonDocument.Parse(hint).RootElement;
}

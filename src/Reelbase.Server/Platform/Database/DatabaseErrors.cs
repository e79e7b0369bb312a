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
            _ when MayPass(error) => new ApiException(ErrorCodes.DatabaseUnavailable, null, error),
            _ => new ApiException(ErrorCodes.InternalError, null, error),
        };

    /// <summary>Overload, shutdown, recovery, lost connections, lock timeouts, deadlocks, a server that may not write: pass with time.</summary>
    public static bool MayPass(NpgsqlException error) =>
        error is not PostgresException { SqlState: var state } || error.IsTransient || state is PostgresErrorCodes.QueryCanceled || IsWrongServer(error);

    /// <summary>
    /// The server at this address takes no writes any more, or is going: a former primary (read-only, or a standby now), or one that is
    /// shut down or recovers. Connections to it are of no use, even when it answers.
    /// </summary>
    public static bool IsWrongServer(Exception error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction or "57P01" or "57P02" or "57P03" or "57P05" };

    private static JsonElement? Details(string? hint) => string.IsNullOrEmpty(hint) ? null : JsonDocument.Parse(hint).RootElement;
}

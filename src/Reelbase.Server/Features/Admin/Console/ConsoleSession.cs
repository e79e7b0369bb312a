using System.Security.Claims;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Admin.Console;

/// <summary>The signed-in admin of one open window. Every call goes through the database's own check, so an ended session can do nothing more.</summary>
public sealed class ConsoleSession(AdminApi api, ApiDatabase database, IOptions<AdminOptions> options)
{
    /// <summary>The claim that holds the session's id.</summary>
    public const string SessionClaim = "session_id";

    /// <summary>Who has signed in.</summary>
    public ClaimsPrincipal User { get; set; } = new();

    /// <summary>Calls an operation.</summary>
    public Task<(TResponse? Done, AdminPendingResponse? Pending)> CallAsync<TRequest, TResponse>(
        AdminOperation<TRequest, TResponse> operation,
        TRequest request,
        Guid? key
    )
        where TRequest : class
        where TResponse : class => api.CallAsync(CallerOf(User), operation, request, key, CancellationToken.None);

    /// <summary>Whether the session goes on; an action keeps it from ending for idleness.</summary>
    /// <exception cref="ApiException">ERR_4005 or ERR_4006.</exception>
    public Task CheckAsync(bool isAction) => CheckAsync(database, options.Value, User, isAction);

    /// <summary>The same for whoever has only the cookie's claims.</summary>
    public static async Task CheckAsync(ApiDatabase database, AdminOptions options, ClaimsPrincipal user, bool isAction)
    {
        try
        {
            await database.ExecuteAsync(
                CallerOf(user),
                "select check_admin_session($1, $2, $3)",
                CancellationToken.None,
                options.IdleMinutes,
                options.SessionMinutes,
                isAction
            );
        }
        catch (NpgsqlException error)
        {
            throw DatabaseErrors.Translate(error);
        }
    }

    /// <summary>An error in words.</summary>
    public string Say(ApiException error)
    {
        var entry = ErrorCatalog.Find(error.Code);
        var details = error.Details is { ValueKind: JsonValueKind.Object } facts
            ? string.Join(", ", facts.EnumerateObject().Select(fact => $"{fact.Name}: {fact.Value}"))
            : "";
        return $"{entry.Message("en", error.Details)} {(details.Length > 0 ? $"({details}) " : "")}[{error.Code}]";
    }

    /// <summary>The caller that the database sees.</summary>
    public static Caller CallerOf(ClaimsPrincipal user)
    {
        var id = Guid.Parse(user.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new ApiException(ErrorCodes.Unauthorized));
        var session = user.FindFirstValue(SessionClaim);
        return new(
            "authenticated",
            id,
            JsonSerializer.Serialize(
                new
                {
                    sub = id,
                    role = "authenticated",
                    session_id = session,
                }
            )
        );
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.Sessions.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Accounts;

/// <summary>A request to delete the account.</summary>
/// <param name="AuthorizationCode">A fresh code of Apple, for apps that have not sent one before: Apple's permission is then taken back too.</param>
/// <param name="UserId">Optional; must be the caller.</param>
public sealed record DeleteAccountRequest(string? AuthorizationCode = null, string? UserId = null)
{
    public DeleteAccountRequest()
        : this(AuthorizationCode: null) { }
}

/// <summary>The account is gone.</summary>
/// <param name="Success">Always true.</param>
/// <param name="AppleAccess">
/// not_linked: it was never signed in with Apple. revoking: Apple is asked to revoke its token. remove_in_settings: no token of Apple was kept, so the
/// app should show the user how to remove it under Settings, Apple Account, Sign in with Apple.
/// </param>
public sealed record DeleteAccountResponse(bool Success, string AppleAccess);

/// <summary>Everything that is kept, or one more page of one list of it.</summary>
/// <param name="List">A list that the export names under <c>next</c>: only the rows before <c>before</c> are asked for.</param>
/// <param name="Before">What <c>next</c> says of that list.</param>
/// <param name="UserId">Optional; must be the caller.</param>
public sealed record ExportRequest(string? List = null, string? Before = null, string? UserId = null)
{
    public ExportRequest()
        : this(List: null) { }
}

/// <summary>Export and deletion: everything that is kept about a user, and its end.</summary>
public static class AccountDeletionEndpoints
{
    /// <summary>Ten lists of this many rows are held in memory at once.</summary>
    private const int MaxRowsPerList = 10_000;
    private const int MaxCursorLength = 400;
    private static readonly JsonSerializerOptions Indented = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void MapAccountDeletion(this IEndpointRouteBuilder routes)
    {
        routes
            .MapPost("/delete-account", DeleteAsync)
            .WithTags("Accounts")
            .WithName("delete-account")
            .WithSummary("Delete the caller's account, files and personal data")
            .RequiresUser()
            .Accepts<DeleteAccountRequest>("application/json")
            .Produces<DeleteAccountResponse>()
            .Fails(400, 401, 403, 404, 409, 413, 415, 503)
            .Examples(new { authorization_code = "c1234..." }, new DeleteAccountResponse(true, "revoking"));
        routes
            .MapPost("/export-user-data", ExportAsync)
            .WithTags("Accounts")
            .WithName("export-user-data")
            .WithSummary("Everything that is kept about the caller; lists that were cut go on page by page")
            .RequiresUser()
            .Accepts<ExportRequest>("application/json")
            .Produces<object>()
            .Fails(400, 401, 403, 404, 413, 415, 503)
            .Examples(new { }, new { exported_at = "2026-01-02T03:04:05.000Z", profile = new { id = "0b9fd0a2-6a55-4d2e-a6c3-5c0d3a2f9b10" } });
    }

    private static async Task<IResult> DeleteAsync(
        HttpContext context,
        CallerResolver callers,
        ApiDatabase database,
        AppleAuthorizations authorizations,
        ChangeFeed feed
    )
    {
        var request = await RequestBody.ReadAsync<DeleteAccountRequest>(context, allowEmpty: true);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        try
        {
            // The code is kept in the same transaction, so that a deletion that is refused leaves none behind.
            var answers = await database.ListAsync<string>(
                caller,
                "select delete_account($1::text, $2::bytea)::text",
                CancellationToken.None,
                authorizations.DefaultClientId,
                authorizations.Seal(request.AuthorizationCode)
            );
            using var result = JsonDocument.Parse(answers[0]);
            var tokens = result.RootElement.GetProperty("apple_tokens").GetInt32();
            feed.Publish(FileRemover.WakeTopic);
            feed.Publish(AppleAuthorizationWorker.WakeTopic);
            feed.Publish(Jobs.GenerateVideo.VideoJobWorker.WakeTopic);
            return Json.Result(
                new DeleteAccountResponse(
                    true,
                    tokens > 0 ? "revoking"
                        : result.RootElement.GetProperty("had_apple").GetBoolean() ? "remove_in_settings"
                        : "not_linked"
                )
            );
        }
        catch (PostgresException error)
            when (error.SqlState == "RB001" && error.Hint?.Contains("no_such_user", StringComparison.Ordinal) == true && IsVerified(caller))
        {
            // The answer to the first deletion was lost and the phone asks again: it is as gone as it was.
            return Json.Result(new DeleteAccountResponse(true, "not_linked"));
        }
    }

    private static bool IsVerified(Caller caller) => !caller.Claims.Contains("\"unverified\"", StringComparison.Ordinal);

    private static async Task<IResult> ExportAsync(HttpContext context, CallerResolver callers, ApiDatabase database, FileLinks links)
    {
        var request = await RequestBody.ReadAsync<ExportRequest>(context, allowEmpty: true);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        if (request.Before is { Length: > MaxCursorLength } || (request.Before is not null && request.List is null))
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "before", "invalid");
        }
        JsonObject data;
        if (request.List is { } list)
        {
            var page = await AskAsync("select export_user_list($1, $2, $3)::text", list, request.Before, MaxRowsPerList);
            data = new JsonObject
            {
                [list] = page["rows"]!.DeepClone(),
                ["max_rows_per_list"] = MaxRowsPerList,
                ["next"] = page["next"] is { } next ? new JsonObject { [list] = next.DeepClone() } : [],
            };
        }
        else
        {
            data = await AskAsync("select export_user_data($1)::text", MaxRowsPerList);
        }
        foreach (var file in data["files"]?.AsArray() ?? [])
        {
            // A name alone is of no use to somebody who wants their files.
            file!["url"] = links.Address(context, (string)file["bucket"]!, (string)file["name"]!, null);
        }
        if (data["next"]!.AsObject().Count > 0)
        {
            data["more"] = "The lists under next were cut. The same request with list and before, as next says, answers the rows before.";
        }
        context.Response.Headers.ContentDisposition = "attachment; filename=\"user-data.json\"";
        return Results.Text(data.ToJsonString(Indented), "application/json");

        async Task<JsonObject> AskAsync(string sql, params object?[] arguments) =>
            JsonNode.Parse((await database.ListAsync<string>(caller, sql, context.RequestAborted, arguments))[0])!.AsObject();
    }
}

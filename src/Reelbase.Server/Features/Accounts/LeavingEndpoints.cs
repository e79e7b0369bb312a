using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Accounts;

/// <summary>A wish to leave.</summary>
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
/// not_linked: it was never signed in with Apple. revoking: Apple is being told. remove_in_settings: no token of Apple was kept, so the
/// app should tell the user how to remove it under Settings, Apple Account, Sign in with Apple.
/// </param>
public sealed record DeleteAccountAnswer(bool Success, string AppleAccess);

/// <summary>A wish to see everything.</summary>
public sealed record ExportRequest(string? UserId = null)
{
    public ExportRequest()
        : this(UserId: null) { }
}

/// <summary>Leaving: everything that is kept about a user, and its end.</summary>
public static class LeavingEndpoints
{
    private const int MaxRowsPerList = 100_000;
    private static readonly JsonSerializerOptions Indented = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void MapLeaving(this IEndpointRouteBuilder routes)
    {
        routes
            .MapPost("/delete-account", DeleteAsync)
            .WithTags("Accounts")
            .WithName("delete-account")
            .WithSummary("Delete the caller's account, files and personal data")
            .RequiresUser()
            .Accepts<DeleteAccountRequest>("application/json")
            .Produces<DeleteAccountAnswer>()
            .Fails(400, 401, 403, 404, 409, 413, 415, 503)
            .Examples(new { authorization_code = "c1234..." }, new DeleteAccountAnswer(true, "revoking"));
        routes
            .MapPost("/export-user-data", ExportAsync)
            .WithTags("Accounts")
            .WithName("export-user-data")
            .WithSummary("Everything that is kept about the caller")
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
            feed.Publish(GenerateVideo.VideoJobWorker.WakeTopic);
            return Json.Answer(
                new DeleteAccountAnswer(
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
            return Json.Answer(new DeleteAccountAnswer(true, "not_linked"));
        }
    }

    private static bool IsVerified(Caller caller) => !caller.Claims.Contains("\"unverified\"", StringComparison.Ordinal);

    private static async Task<IResult> ExportAsync(HttpContext context, CallerResolver callers, ApiDatabase database, FileLinks links)
    {
        var request = await RequestBody.ReadAsync<ExportRequest>(context, allowEmpty: true);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        var text = (await database.ListAsync<string>(caller, "select export_user_data($1)::text", context.RequestAborted, MaxRowsPerList))[0];
        var data = JsonNode.Parse(text)!;
        foreach (var file in data["files"]!.AsArray())
        {
            // A name alone is of no use to somebody who wants their files.
            file!["url"] = links.Address(context, (string)file["bucket"]!, (string)file["name"]!, null);
        }
        context.Response.Headers.ContentDisposition = "attachment; filename=\"user-data.json\"";
        return Results.Text(data.ToJsonString(Indented), "application/json");
    }
}

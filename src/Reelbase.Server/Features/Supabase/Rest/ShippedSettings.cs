using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>
/// Builds that are shipped change a user's settings with the anon key and an id: <c>PATCH users?id=eq.X</c>. While their switch is open that is
/// done as the user of the id, and the answer names the id that was asked. What may be changed is still what a user is granted.
/// </summary>
internal sealed class ShippedSettings(CallerResolver callers, IOptions<ServerOptions> server, TimeProvider clock)
{
    private static readonly string[] Settings = ["language", "theme_preference"];
    private static readonly string[] Answered = ["id", .. Settings];

    /// <summary>Whether a request is that one, no more than that one, and the switch is open.</summary>
    public bool Claims(RestRequest request) =>
        request is { Method: "PATCH", Table: "users", Payload: { } payload }
        && server.Value.AcceptsShippedBuilds(clock)
        && AskedId(request) is not null
        && payload.Columns.All(Settings.Contains)
        && request.Query.Select.All(item =>
            item is SelectField { Aggregate: null, Field: { Path.Count: 0, Name: var name } } && (name == "*" || Answered.Contains(name))
        );

    /// <summary>Does it as the user of the id; an id that nobody has changes nothing.</summary>
    public async Task<RestResponse> ChangeAsync(HttpContext context, RestRequest request, RestRunner runner)
    {
        var asked = AskedId(request)!;
        Caller caller;
        try
        {
            caller = await callers.ClaimUnverifiedAsync(asked, context.RequestAborted);
        }
        catch (ApiException error) when (error.Status == 404)
        {
            return new RestResponse
            {
                Status = request.Preferences.WantsRows ? 200 : 204,
                Body = request.Preferences.WantsRows ? "[]" : null,
                ContentType = request.Preferences.WantsRows ? request.Media.ContentType : null,
            };
        }
        context.Items[typeof(Caller)] = caller;
        var own = caller.UserId!.Value.ToString();
        var filter = request.Query.Filters[0];
        // Whoever only names an id gets the settings of that user, and no other column.
        IReadOnlyList<SelectItem> select = request.Query.Select.Any(item => item is SelectField { Field.Name: "*" })
            ? Array.ConvertAll(Answered, name => new SelectField(new FieldName(name, []), null, null, null, null))
            : request.Query.Select;
        var query = request.Query.With([new(filter.Path, filter.Value with { Comparison = filter.Value.Comparison with { Value = own } })], select);
        var answer = await runner.RunAsync(request with { Query = query }, caller, StorageKeyLinks.NewSecret(), context.RequestAborted);
        var named = new RestResponse
        {
            Status = answer.Status,
            Body = answer.Body?.Replace($"\"{own}\"", JsonSerializer.Serialize(asked), StringComparison.Ordinal),
            ContentType = answer.ContentType,
        };
        foreach (var (name, value) in answer.Headers)
        {
            named.Headers[name] = value;
        }
        return named;
    }

    private static string? AskedId(RestRequest request) =>
        request.Query is { Logic.Count: 0, Filters: [{ Path.Count: 0, Value: { Field: { Name: "id", Path.Count: 0 }, Comparison: var comparison } }] }
        && comparison is { Not: false, Kind: OperatorKind.Quantified, Name: "eq", Modifier: null, Value.Length: > 0 and <= 255 }
            ? comparison.Value
            : null;
}

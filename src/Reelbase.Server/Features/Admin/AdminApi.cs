using System.Text.Json;
using System.Text.Json.Nodes;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Idempotency;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Admin;

/// <summary>Does what an admin asks, for the API and for the console alike: one SQL function, in one transaction with its audit row.</summary>
public sealed partial class AdminApi(
    ApiDatabase database,
    ChangeFeed feed,
    IEnumerable<IOperationPreparation> preparations,
    IEnumerable<IOperationCompletion> completions,
    IEnumerable<OperationRules> rules,
    IEnumerable<OperationTopics> topics,
    IServiceProvider services,
    ILogger<AdminApi> logger
)
{
    /// <summary>Sent after every change that an admin made; the console's pages load again.</summary>
    public const string Topic = "admin:changes";

    /// <summary>Whether an answer says that another admin has to approve first.</summary>
    public static bool IsPending(AdminOperation operation, JsonNode answer) => operation.MayPend && answer["approval_id"] is not null;

    /// <summary>Calls an operation as the caller.</summary>
    /// <returns>The answer, and whether it is that of an earlier call with this key.</returns>
    /// <exception cref="ApiException">ERR_4005 or ERR_4006 when the caller is no admin; what the operation itself refuses.</exception>
    public async Task<(JsonNode Answer, bool IsReplay)> CallAsync(
        Caller caller,
        AdminOperation operation,
        JsonObject request,
        Guid? key,
        CancellationToken cancellationToken
    )
    {
        foreach (var preparation in preparations.Where(preparation => preparation.Operation == operation.Name))
        {
            await PrepareAsync(preparation, caller, request, cancellationToken);
        }
        var (function, arguments) = FunctionOf(operation, request.ToJsonString(Json.Options), key);
        KeyedAnswer called;
        try
        {
            called = await KeyedCalls.CallAsync(database, caller, function, cancellationToken, arguments);
        }
        catch (Npgsql.NpgsqlException error)
        {
            throw DatabaseErrors.Translate(error);
        }
        var answer = JsonNode.Parse(called.Answer)!;
        foreach (var completion in completions.Where(completion => completion.Operation == operation.Name))
        {
            completion.Complete(answer.AsObject());
        }
        if (operation.IsChange)
        {
            Notify(request);
        }
        return (answer, called.Replayed);
    }

    /// <summary>Calls an operation whose request and answer are records, as the caller.</summary>
    /// <returns>What was done, or that another admin has to approve it first; neither where a change is done and its answer is none of its record.</returns>
    /// <exception cref="ApiException">As above.</exception>
    public async Task<(TResponse? Done, AdminPendingResponse? Pending)> CallAsync<TRequest, TResponse>(
        Caller caller,
        AdminOperation<TRequest, TResponse> operation,
        TRequest request,
        Guid? key,
        CancellationToken cancellationToken
    )
        where TRequest : class
        where TResponse : class
    {
        var (answer, _) = await CallAsync(caller, operation, operation.ToRequest(request), key, cancellationToken);
        if (IsPending(operation, answer))
        {
            return (null, answer.Deserialize<AdminPendingResponse>(Json.Options));
        }
        try
        {
            return (operation.FromAnswer(answer), null);
        }
        catch (JsonException error) when (operation.IsChange)
        {
            // It is committed: whoever heard of an error now would do it again.
            LogUnreadableAnswer(error, operation.Name);
            return (null, null);
        }
        catch (JsonException error)
        {
            // A page shows it as any other error; beside a node of another release an answer may be another one.
            LogUnreadableAnswer(error, operation.Name);
            throw new ApiException(ErrorCodes.InternalError, null, error);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The answer of {Operation} is not what its record says")]
    private partial void LogUnreadableAnswer(Exception error, string operation);

    private async Task PrepareAsync(IOperationPreparation preparation, Caller caller, JsonObject request, CancellationToken cancellationToken)
    {
        try
        {
            await database.ExecuteAsync(caller, "select require_admin()", cancellationToken);
            await preparation.PrepareAsync(caller, request, cancellationToken);
        }
        catch (Npgsql.NpgsqlException error)
        {
            throw DatabaseErrors.Translate(error);
        }
    }

    private (string Function, object?[] Arguments) FunctionOf(AdminOperation operation, string request, Guid? key) =>
        (operation.Arguments, key) switch
        {
            ({ } arguments, _) => ($"{operation.Function}({arguments})", [key, request, RulesOf(operation)]),
            (null, not null) when operation.IsChange => ("call_admin_once($1, $2, $3::jsonb)", [key, operation.Name, request]),
            _ => ($"{operation.Function}($1::jsonb)", [request]),
        };

    private object RulesOf(AdminOperation operation) => rules.Single(rule => rule.Operation == operation.Name).Read(services);

    /// <summary>Whoever waits for what was changed is notified at once: workers, open streams of the user, the console.</summary>
    private void Notify(JsonObject request)
    {
        feed.Publish(Topic);
        foreach (var topic in topics.SelectMany(feature => feature.Of(request)))
        {
            feed.Publish(topic);
        }
        if (request["user_id"]?.GetValueKind() == JsonValueKind.String && Guid.TryParse((string?)request["user_id"], out var user))
        {
            feed.Publish(CallerResolver.TopicOf(user));
        }
    }
}

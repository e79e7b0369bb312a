using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server;
using Reelbase.Server.Cli;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Tests.Support;

/// <summary>The installation with one admin, who has a token from the command line.</summary>
public class AdminSystem : TestSystem
{
    /// <summary>What admins can do and see, by every module.</summary>
    public static IReadOnlyCollection<AdminOperation> Operations { get; } = new AdminOperations(Modules.All).All;

    protected override bool HasConsole => true;

    public HttpClient Admin { get; private set; } = null!;
    public Guid AdminId { get; private set; }

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Admin = await TokenAsync("first@support.example");
        AdminId = await IdAsync("first@support.example");
    }

    public Task<Guid> IdAsync(string email) => QueryAsync<Guid>($"select id from users where email = '{email}'");

    /// <summary>Makes an admin, and a client with their bearer token.</summary>
    public async Task<HttpClient> TokenAsync(string email, string? role = null)
    {
        await NewAdminAsync(email, role);
        await using var database = new AdminDatabase(Strings);
        var token = await AdminUserCommands.StartTokenAsync(database, Server.Services.GetRequiredService<AccessTokens>(), email);
        return new HttpClient { BaseAddress = new Uri(Url), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
    }

    /// <summary>Runs a verb of <c>./reelbase admin</c> as its own process, which costs seconds: for tests of the command line.</summary>
    public Task<(int Code, string Output)> RunAsync(params string[] arguments) =>
        ServerProcess.RunAsync(
            new Dictionary<string, string> { ["REELBASE__Server__DataDirectory"] = DataDirectory, ["REELBASE__Database__ConnectionString"] = Owner },
            ["admin", .. arguments]
        );

    /// <summary>Asks as the admin.</summary>
    public Task<ApiResponse> PostAsync(string path, object body, Guid? key = null) => PostAsync(Admin, path, body, key);

    /// <summary>Asks as another one.</summary>
    public static async Task<ApiResponse> PostAsync(HttpClient admin, string path, object body, Guid? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, body.GetType()) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key.ToString());
        }
        var answer = await ApiResponse.ReadAsync(await admin.SendAsync(request));
        AdminRecords.Check(path, body, answer);
        return answer;
    }

    /// <summary>Asks as the admin.</summary>
    public async Task<ApiResponse> GetAsync(string path)
    {
        var answer = await ApiResponse.ReadAsync(await Admin.GetAsync(path));
        AdminRecords.Check(path, null, answer);
        return answer;
    }
}

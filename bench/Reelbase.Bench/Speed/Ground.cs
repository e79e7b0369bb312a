using System.Globalization;
using Npgsql;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Bench.Speed;

/// <summary>What lies in the three schemas: ours, the reference and the peer's get the same rows.</summary>
public sealed class Ground(Stage stage, Pgbench pgbench)
{
    /// <summary>The first user of those that only a very long queue has.</summary>
    private const int FirstOfMany = 200001;
    private const int Many = 100_000;
    private const int Writers = 8;

    public string Login(string role) =>
        new NpgsqlConnectionStringBuilder(stage.Owner) { Username = role, Password = ConnectionStrings.DerivePassword(stage.Owner, role) }.ConnectionString;

    public const int FirstOfModels = 70;
    public const int Models = 16;

    /// <summary>Further models like the one that is pressed, so that presses have no row of the catalogue in common.</summary>
    public Task AddModelsAsync() =>
        stage.ExecuteAsync(
            $"""
            insert into models
            select (jsonb_populate_record(m, jsonb_build_object('id', left(m.id::text, -2) || n, 'name', m.name || ' ' || n, 'is_active', false))).*
            from models m, generate_series({FirstOfModels}, {FirstOfModels + Models - 1}) n where m.id = '{Stage.Model}'
            on conflict do nothing
            """
        );

    public async Task LoadReferenceAsync() => await stage.ExecuteAsync(await File.ReadAllTextAsync(Repository.PathOf("bench", "reference.sql")));

    /// <summary>Fills the queue up to a number of waiting jobs, each accepted as a press is, and the reference's with as many.</summary>
    public async Task FillQueueAsync(int waiting)
    {
        var missing = waiting - await WaitingAsync();
        Say(string.Create(CultureInfo.InvariantCulture, $"{waiting:N0} jobs waiting"));
        var (first, users) = waiting > Many ? await ManyUsersAsync() : (Stage.FirstUser, Stage.Users);
        if (missing > 0)
        {
            await pgbench.TimesAsync(Login("reelbase_api"), Scripts.OurAccept(first, users), Writers, (missing + Writers - 1) / Writers);
        }
        await stage.ExecuteAsync(
            $"""
            insert into ref.jobs (job_id, user_id, model_id, prompt, credits_used, created_at)
            select gen_random_uuid(), u.id, '{Stage.Model}', 'A paper boat on a quiet lake', 8, now() - interval '2 hours' + n * interval '1 millisecond'
            from generate_series(1, {waiting} - (select count(*) from ref.jobs where status = 'pending')) n,
              lateral (select ('00000000-0000-4000-8000-000000' || {Stage.FirstUser} + n % {Stage.Users})::uuid as id) u
            """
        );
        await stage.ExecuteAsync("vacuum analyze");
    }

    public async Task<int> WaitingAsync() => (int)(await stage.ScalarAsync<long>("select count(*) from video_jobs where stage = 'queued'"));

    /// <summary>Jobs that ended in the last month, with their stored answers, in each of the schemas.</summary>
    public async Task AgeAsync(int finished, bool hasPeer)
    {
        Say(string.Create(CultureInfo.InvariantCulture, $"{finished:N0} finished jobs"));
        var rows = $"""
            from generate_series(1, {finished}) n,
              lateral (select ('00000000-0000-4000-8000-000000' || {Stage.FirstUser} + n % {Stage.Users})::uuid as id, now() - interval '2 hours' - n * interval '12 seconds' as at) u
            """;
        var jobs = $"select gen_random_uuid(), u.id, '{Stage.Model}', 'A paper boat on a quiet lake', 'completed', 8, u.at {rows}";
        var keys = $$"""select u.id, gen_random_uuid(), '\x00', '{"status": "pending", "credits_used": 8}', 200, now() + n * interval '1 second' {{rows}}""";
        await stage.ExecuteAsync(
            $$"""
            insert into video_jobs (job_id, user_id, model_id, model_name, prompt, status, stage, video_url, credits_used, created_at, completed_at)
            select gen_random_uuid(), u.id, '{{Stage.Model}}', 'Veo 3.1 Fast', 'A paper boat on a quiet lake', 'completed', 'finished', 'a/b.mp4', 8, u.at, u.at + interval '2 minutes' {{rows}};
            insert into idempotency_log (user_id, idempotency_key, operation_type, request_hash, response_data, status_code, expires_at)
            select u.id, gen_random_uuid(), 'generate-video', '\x00', '{"status": "pending", "credits_used": 8}', 200, now() + n * interval '1 second' {{rows}};
            insert into ref.jobs (job_id, user_id, model_id, prompt, status, credits_used, created_at) {{jobs}};
            insert into ref.idem (user_id, key, request_hash, response, status_code, expires_at) {{keys}};
            """
        );
        if (hasPeer)
        {
            await stage.ExecuteAsync(
                $"""
                insert into peer.video_jobs (job_id, user_id, model_id, prompt, status, credits_used, created_at) {jobs};
                insert into peer.idempotency_log (user_id, key, request_hash, response, status_code, expires_at) {keys};
                """
            );
        }
        await stage.ExecuteAsync("vacuum analyze");
    }

    private async Task<(int First, int Users)> ManyUsersAsync()
    {
        await stage.ExecuteAsync(
            $"""
            insert into users (id, is_guest) select ('00000000-0000-4000-8000-000000' || n)::uuid, true from generate_series({FirstOfMany}, {FirstOfMany
                + Many
                - 1}) n;
            select count(write_ledger(id, 1000000, 'initial_grant')) from users where id between '00000000-0000-4000-8000-000000{FirstOfMany}' and '00000000-0000-4000-8000-000000{FirstOfMany + Many - 1}';
            insert into sessions (id, user_id) select ('00000000-0000-4000-8001-000000' || n)::uuid, ('00000000-0000-4000-8000-000000' || n)::uuid from generate_series({FirstOfMany}, {FirstOfMany
                + Many
                - 1}) n;
            """
        );
        return (FirstOfMany, Many);
    }

    private static void Say(string what) => System.Console.Error.WriteLine($"==> {what}");
}

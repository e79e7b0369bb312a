using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Localization;
using MudBlazor;
using Reelbase.Server.Features.Admin.Console.Shared;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Admin.Console;

/// <summary>
/// What every page of the console is made of: it loads, shows that it loads, says what went wrong, loads again when something changes, and
/// asks for a reason before it changes anything.
/// </summary>
[Authorize]
public abstract class ConsolePage : ComponentBase, IDisposable
{
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan MinPause = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _gone = new();
    private bool _isLoading;

    [Inject]
    protected ConsoleSession Session { get; set; } = null!;

    [Inject]
    protected IStringLocalizer<Texts> T { get; set; } = null!;

    [Inject]
    protected NavigationManager Navigation { get; set; } = null!;

    [Inject]
    protected IDialogService Dialogs { get; set; } = null!;

    [Inject]
    protected ISnackbar Snackbar { get; set; } = null!;

    [Inject]
    private ChangeFeed Feed { get; set; } = null!;

    [CascadingParameter]
    private Task<AuthenticationState> State { get; set; } = null!;

    /// <summary>Whether the first load is still under way.</summary>
    protected bool IsFirstLoad { get; private set; } = true;

    /// <summary>What went wrong with the last load; null when nothing did.</summary>
    protected string? Fault { get; private set; }

    /// <summary>The topics that make the page load again.</summary>
    protected virtual string[] Topics => [AdminApi.Topic];

    /// <summary>Reads what the page shows.</summary>
    protected abstract Task LoadAsync();

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        Session.User = (await State).User;
        _ = WatchAsync();
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        IsFirstLoad = true;
        await ReloadAsync(isAction: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _gone.Cancel();
        _gone.Dispose();
    }

    /// <summary>Loads again now, because somebody did something.</summary>
    protected Task ReloadAsync() => ReloadAsync(isAction: true);

    /// <summary>Asks an operation.</summary>
    protected async Task<TResponse> AskAsync<TRequest, TResponse>(AdminOperation<TRequest, TResponse> operation, TRequest request)
        where TRequest : class
        where TResponse : class => (await Session.CallAsync(operation, request, null)).Done!;

    /// <summary>Asks for a reason (and more, when <paramref name="fields"/> say so), does it with a request that is made of what was filled in, and says how it went.</summary>
    /// <returns>Whether it was done.</returns>
    public Task<bool> ActAsync<TRequest, TResponse>(
        string title,
        AdminOperation<TRequest, TResponse> operation,
        Func<ActionInput, TRequest> request,
        params ActionField[] fields
    )
        where TRequest : class
        where TResponse : class =>
        ShowAsync(title, async (input, key) => (await Session.CallAsync(operation, request(input), key)).Pending is not null, fields);

    /// <summary>Lets somebody edit a row, or fill in a new one, and saves it with their reason.</summary>
    /// <param name="title">What is done.</param>
    /// <param name="operation">The operation that saves it.</param>
    /// <param name="request">The request, of what was changed.</param>
    /// <param name="row">What it is now; null for a new one.</param>
    /// <param name="fields">What can be edited.</param>
    /// <param name="preview">Says what the change would be; null when nothing does.</param>
    /// <param name="isWhole">Whether every field is sent, changed or not.</param>
    protected async Task EditAsync<TRequest, TResponse>(
        string title,
        AdminOperation<TRequest, TResponse> operation,
        Func<EditInput, TRequest> request,
        object? row,
        IReadOnlyList<EditField> fields,
        Func<EditInput, Task<string>>? preview = null,
        bool isWhole = false
    )
        where TRequest : class
        where TResponse : class
    {
        Func<EditInput, Guid, Task> save = (input, key) => Session.CallAsync(operation, request(input), key);
        var parameters = new DialogParameters<EditDialog>
        {
            { dialog => dialog.Save, save },
            { dialog => dialog.Preview, preview },
            { dialog => dialog.Row, row is null ? null : JsonSerializer.SerializeToNode(row, row.GetType(), Json.Options)!.AsObject() },
            { dialog => dialog.IsWhole, isWhole },
            { dialog => dialog.Fields, fields },
            { dialog => dialog.Session, Session },
        };
        var dialog = await Dialogs.ShowAsync<EditDialog>(title, parameters, new DialogOptions { MaxWidth = MaxWidth.Medium, FullWidth = true });
        if (await dialog.Result is { Canceled: false })
        {
            Snackbar.Add(T["Done"], Severity.Success);
            await ReloadAsync();
        }
    }

    /// <summary>An id that stands in an address or was typed; null when nothing does.</summary>
    /// <exception cref="ApiException">ERR_4007: nothing has such an id.</exception>
    protected static Guid? IdOf(string? text, string what) =>
        string.IsNullOrWhiteSpace(text) ? null
        : Guid.TryParse(text.Trim(), out var id) ? id
        : throw new ApiException(ErrorCodes.NotFound, new { what });

    private async Task<bool> ShowAsync(string title, Func<ActionInput, Guid, Task<bool>> send, ActionField[] fields)
    {
        var parameters = new DialogParameters<ActionDialog>
        {
            { dialog => dialog.Send, send },
            { dialog => dialog.Fields, fields },
            { dialog => dialog.Session, Session },
        };
        var dialog = await Dialogs.ShowAsync<ActionDialog>(title, parameters);
        if (await dialog.Result is not { Canceled: false } result)
        {
            return false;
        }
        if (result.Data is true)
        {
            Snackbar.Add(T["Another admin has to approve that."], Severity.Info);
        }
        else
        {
            Snackbar.Add(T["Done"], Severity.Success);
        }
        await ReloadAsync();
        return true;
    }

    private async Task ReloadAsync(bool isAction)
    {
        if (_isLoading)
        {
            return;
        }
        _isLoading = true;
        try
        {
            await Session.CheckAsync(isAction);
            await LoadAsync();
            Fault = null;
        }
        catch (ApiException error) when (error.Code is ErrorCodes.Unauthorized || (error.Code == ErrorCodes.Forbidden && IsOver(error)))
        {
            // Signed out, banned, or no admin any more: nothing of the page stays.
            Navigation.NavigateTo("admin/sign-in", forceLoad: true);
        }
        catch (ApiException error)
        {
            Fault = Session.Say(error);
        }
        finally
        {
            _isLoading = false;
            IsFirstLoad = false;
        }
    }

    private static bool IsOver(ApiException error) =>
        error.Details is { } details
        && details.TryGetProperty("reason", out var reason)
        && reason.GetString() is "banned" or "not_an_admin" or "not_an_admin_session";

    private async Task WatchAsync()
    {
        using var changes = Feed.Subscribe(Topics);
        try
        {
            while (!_gone.IsCancellationRequested)
            {
                await changes.WaitAsync(MaxPause, _gone.Token);
                await InvokeAsync(async () =>
                {
                    await ReloadAsync(isAction: false);
                    StateHasChanged();
                });
                // However much happens, a page is not drawn more often than this.
                await Task.Delay(MinPause, _gone.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
        {
            // The page was left.
        }
    }
}

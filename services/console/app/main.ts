import { mount } from 'svelte'
import App from './App.svelte'
import './styles/base.css'
import './styles/controls.css'

const target = document.getElementById('console')
if (target === null) throw new Error('index.html has no #console')
mount(App, { target })
